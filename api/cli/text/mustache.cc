#include "api/cli/text/mustache.h"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <vector>

#include "api/cli/text/console.h"

namespace coffer::cli {
namespace {

namespace mustache = kainjow::mustache;

struct TemplateNames {
  std::set<std::string, std::less<>> values, sections;
};

std::unexpected<Failure> NoTemplate(std::string_view tmpl, std::size_t at, std::string_view why) {
  const auto line = 1 + std::ranges::count(tmpl.substr(0, at), '\n');
  return Failed(Exit::kUsage,
                "line " + std::to_string(line) + " of the template: " + std::string(why) + ".");
}

std::string_view WithoutSpaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The library is lenient: what it would pass over, it is not given.
Outcome<TemplateNames> ReadTemplate(std::string_view tmpl) {
  TemplateNames names;
  if (tmpl.size() > kMaxTemplateBytes) return NoTemplate(tmpl, 0, "it is larger than 256 KiB");
  std::vector<std::string> open;
  for (std::size_t at = tmpl.find("{{"); at != tmpl.npos; at = tmpl.find("{{", at)) {
    const auto end = tmpl.find("}}", at + 2);
    if (end == tmpl.npos) return NoTemplate(tmpl, at, "a {{ is not closed");
    const auto inside = tmpl.substr(at + 2, end - at - 2);
    if (inside.starts_with('{') || tmpl.substr(end).starts_with("}}}")) {
      return NoTemplate(tmpl, at, "values without escaping ({{{) are not possible");
    }
    const char kind = inside.empty() ? ' ' : inside.front();
    if (kind == '!') {
      at = end + 2;
      continue;
    }
    if (kind == '&' || kind == '>' || kind == '=') {
      return NoTemplate(tmpl, at, "{{" + std::string(1, kind) + " is not possible");
    }
    const bool plain = kind != '#' && kind != '^' && kind != '/';
    const std::string name(WithoutSpaces(plain ? inside : inside.substr(1)));
    if (!(plain && name == ".") && !IsTemplateName(name)) {
      return NoTemplate(tmpl, at, "\"" + name.substr(0, 40) + "\" is no name");
    }
    if (plain) {
      if (name == "." && open.empty()) return NoTemplate(tmpl, at, "{{.}} stands in no list");
      names.values.insert(name);
    } else if (kind == '/') {
      if (open.empty() || open.back() != name) {
        return NoTemplate(tmpl, at, "{{/" + name + "}} closes a section that is not open");
      }
      open.pop_back();
    } else {
      if (std::ranges::find(open, name) != open.end()) {
        return NoTemplate(tmpl, at, "{{#" + name + "}} stands in itself");
      }
      if (open.size() == kMaxTemplateDepth) {
        return NoTemplate(tmpl, at, "sections are nested too deeply");
      }
      names.sections.insert(name);
      open.push_back(name);
    }
    at = end + 2;
  }
  if (!open.empty()) {
    return NoTemplate(tmpl, tmpl.size(), "{{#" + open.back() + "}} is not closed");
  }
  for (const auto& name : names.values) {
    if (names.sections.contains(name)) {
      return NoTemplate(tmpl, tmpl.size(), "\"" + name + "\" is a value and a section");
    }
  }
  return names;
}

// What is passed over here shows as an unknown name once the template asks for it.
Outcome<mustache::data> DataOf(const nlohmann::json& value) {
  if (value.is_string()) return mustache::data(value.get_ref<const std::string&>());
  if (value.is_boolean()) return mustache::data(value.get<bool>());
  if (value.is_number()) return mustache::data(value.dump());
  if (value.is_array()) {
    mustache::data list(mustache::data::type::list);
    for (const auto& item : value) {
      auto one = DataOf(item);
      if (!one) return one;
      list.push_back(*one);
    }
    return list;
  }
  if (value.is_object()) {
    mustache::data object(mustache::data::type::object);
    for (const auto& [name, member] : value.items()) {
      auto one = DataOf(member);
      if (!one) return std::unexpected(one.error());
      object.set(name, *one);
    }
    return object;
  }
  return Failed(Exit::kFailed, "A value of the template is none.");
}

// Remembers what was asked for and is not there: the library leaves a gap.
class StrictContext : public mustache::context<std::string> {
 public:
  StrictContext(const mustache::data* data, const TemplateNames& names)
      : context(data), names_(names) {}

  const mustache::data* get(const std::string& name) const override {
    const auto* found = context::get(name);
    if (found == nullptr) {
      Note("The template names \"" + name + "\", which there is not.");
    } else if (names_.sections.contains(name) ? found->is_string() : !found->is_string()) {
      Note("\"" + name + "\" of the template is of another kind.");
    }
    return found;
  }
  const mustache::data* get_partial(const std::string&) const override { return nullptr; }

  const std::string& problem() const { return problem_; }

 private:
  void Note(std::string problem) const {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  const TemplateNames& names_;
  mutable std::string problem_;
};

}  // namespace

bool IsTemplateName(std::string_view name) {
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && is_small(name.front()) && std::ranges::all_of(name, [&](char c) {
    return is_small(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string HtmlText(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const auto tab = std::min(text.find('\t', at), text.size());
    plain += PrintableLines(text.substr(at, tab - at));
    if (tab < text.size()) plain.push_back('\t');
    at = tab + 1;
  }
  return mustache::html_escape(plain);
}

namespace {

Outcome<std::string> Render(std::string_view tmpl, const nlohmann::json& values,
                            std::string (*escape)(std::string_view)) {
  const auto names = ReadTemplate(tmpl);
  if (!names) return std::unexpected(names.error());
  if (!values.is_object()) return Failed(Exit::kFailed, "A template is filled with an object.");
  const auto data = DataOf(values);
  if (!data) return std::unexpected(data.error());
  mustache::mustache parsed{std::string(tmpl)};
  if (!parsed.is_valid()) return Failed(Exit::kUsage, "The template: " + parsed.error_message());
  parsed.set_custom_escape([escape](const std::string& text) { return escape(text); });
  StrictContext context(&*data, *names);
  std::ostringstream out;
  parsed.render(context, out);
  if (!context.problem().empty()) return Failed(Exit::kFailed, context.problem());
  if (!parsed.is_valid()) return Failed(Exit::kFailed, "The template: " + parsed.error_message());
  return std::move(out).str();
}

}  // namespace

Outcome<std::string> RenderMustache(std::string_view tmpl, const nlohmann::json& values) {
  return Render(tmpl, values, HtmlText);
}

Outcome<std::set<std::string, std::less<>>> NamesInTemplate(std::string_view tmpl) {
  auto names = ReadTemplate(tmpl);
  if (!names) return std::unexpected(names.error());
  names->values.merge(names->sections);
  return std::move(names->values);
}

Outcome<std::string> RenderTextMustache(std::string_view tmpl, const nlohmann::json& values) {
  return Render(tmpl, values, PrintableLines);
}

}  // namespace coffer::cli
