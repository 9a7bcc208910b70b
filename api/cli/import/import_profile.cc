#include "api/cli/import/import_profile.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>

#include "api/cli/files/input_file.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMaxProfileBytes = std::size_t{1} << 20;

// How one member's value is taken over. An empty answer is acceptance.
using Take = std::function<std::string(const toml::node&)>;
using Members = std::map<std::string, Take, std::less<>>;

Take TakeText(std::string& into) {
  return [&into](const toml::node& node) -> std::string {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty()) return "must be text";
    into = *value;
    return {};
  };
}

Take TakeText(std::optional<std::string>& into) {
  return [&into](const toml::node& node) { return TakeText(into.emplace())(node); };
}

Take TakeOneOf(std::string& into, std::vector<std::string> words) {
  return [&into, words = std::move(words)](const toml::node& node) -> std::string {
    into = node.value_exact<std::string>().value_or("");
    if (std::ranges::find(words, into) != words.end()) return {};
    std::string fault = "must be one of";
    for (const std::string& word : words) fault += " \"" + word + "\"";
    return fault;
  };
}

Take TakeTexts(std::vector<std::string>& into) {
  return [&into](const toml::node& node) -> std::string {
    static constexpr const char* kFault = "must be a list of texts";
    const auto* const list = node.as_array();
    if (list == nullptr || list->empty()) return kFault;
    for (const auto& item : *list) {
      const auto text = item.value_exact<std::string>();
      if (!text || text->empty()) return kFault;
      into.push_back(*text);
    }
    return {};
  };
}

Take TakeParts(std::vector<std::vector<std::string>>& into) {
  return [&into](const toml::node& node) -> std::string {
    static constexpr const char* kFault = "must be a list of lists of columns";
    const auto* const list = node.as_array();
    if (list == nullptr || list->empty()) return kFault;
    if (!into.empty()) return "cannot stand beside \"columns\"";
    for (const auto& item : *list) {
      if (!TakeTexts(into.emplace_back())(item).empty()) return kFault;
    }
    return {};
  };
}

Take TakeColumns(std::vector<std::vector<std::string>>& into) {
  return [&into](const toml::node& node) -> std::string {
    if (!into.empty()) return "cannot stand beside \"parts\"";
    return TakeTexts(into.emplace_back())(node);
  };
}

Take TakeDecimalPoint(std::optional<bool>& comma) {
  return [&comma](const toml::node& node) -> std::string {
    const auto value = node.value_exact<std::string>();
    if (value != "." && value != ",") return "must be \".\" or \",\"";
    comma = value == ",";
    return {};
  };
}

Take TakeValues(std::map<std::string, std::string>& into) {
  return [&into](const toml::node& node) -> std::string {
    static constexpr const char* kFault = "must be a table of texts";
    const auto* const table = node.as_table();
    if (table == nullptr) return kFault;
    for (const auto& [key, value] : *table) {
      const auto text = value.value_exact<std::string>();
      if (!text) return kFault;
      into[std::string(key.str())] = *text;
    }
    return {};
  };
}

Take TakeYear(std::optional<int>& into) {
  return [&into](const toml::node& node) -> std::string {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 1800 || *value > 2100) return "must be a year from 1800 to 2100";
    into = static_cast<int>(*value);
    return {};
  };
}

Take TakeFooter(bool& into) {
  return [&into](const toml::node& node) -> std::string {
    if (node.value_exact<std::string>() != "rows-of-one-cell")
      return "must be \"rows-of-one-cell\"";
    into = true;
    return {};
  };
}

class ProfileReader {
 public:
  explicit ProfileReader(std::string name) : name_(std::move(name)) {}

  Outcome<ImportProfile> Read(const toml::table& root) {
    ImportProfile profile;
    Members members = {{"title", TakeText(profile.title)},
                       {"class", TakeText(profile.class_name)},
                       {"delimiter", TakeOneOf(profile.delimiter, {",", ";", "tab"})},
                       {"encoding", TakeText(profile.encoding)},
                       {"two_digit_years_from", TakeYear(profile.two_digit_years_from)},
                       {"utc_offset", TakeText(profile.utc_offset)},
                       {"empty", TakeTexts(profile.empty)},
                       {"footer", TakeFooter(profile.footer)}};
    AddCellMembers(members, profile.cells);
    for (const auto& [key, node] : root) {
      const std::string_view member = key.str();
      if (member == "key" || member == "record_key") {
        ColumnSource& source = member == "key" ? profile.key : profile.record_key;
        COFFER_TRY(ReadTable(node, std::string(member), SourceMembers(source)));
        COFFER_TRY(RequireColumns(node, std::string(member), source));
      } else if (member == "fields") {
        COFFER_TRY(ReadFields(node, profile));
      } else {
        COFFER_TRY(ReadMember(members, "", key, node));
      }
    }
    return profile;
  }

 private:
  std::unexpected<Failure> Wrong(const toml::source_region& at, const std::string& what) const {
    return Failed(Exit::kUsage,
                  name_ + ", line " + std::to_string(at.begin.line) + ", column " +
                      std::to_string(at.begin.column) + ": " + what,
                  "docs/importing.md says what a profile may hold.");
  }

  static Members SourceMembers(ColumnSource& source) {
    return {{"columns", TakeColumns(source.parts)},
            {"parts", TakeParts(source.parts)},
            {"joined_by", TakeText(source.joined_by)},
            {"otherwise", TakeTexts(source.otherwise)},
            {"separator", TakeText(source.separator)}};
  }

  static void AddCellMembers(Members& members, CellOptions& cells) {
    members.insert({{"date_formats", TakeTexts(cells.date_formats)},
                    {"join_lines", TakeText(cells.line_joint)},
                    {"decimal", TakeDecimalPoint(cells.decimal_comma)},
                    {"true", TakeTexts(cells.yes)},
                    {"false", TakeTexts(cells.no)},
                    {"region", TakeText(cells.region)}});
  }

  Outcome<void> ReadMember(const Members& members, const std::string& at, const toml::key& key,
                           const toml::node& node) const {
    const std::string path = at + std::string(key.str());
    const auto member = members.find(key.str());
    if (member == members.end()) {
      return Wrong(key.source(), "\"" + path + "\" is no member of a profile");
    }
    if (const auto fault = member->second(node); !fault.empty()) {
      return Wrong(node.source(), "\"" + path + "\" " + fault);
    }
    return {};
  }

  Outcome<void> ReadTable(const toml::node& node, const std::string& path,
                          const Members& members) const {
    if (!node.is_table()) return Wrong(node.source(), "\"" + path + "\" must be a table");
    for (const auto& [key, value] : *node.as_table()) {
      COFFER_TRY(ReadMember(members, path + ".", key, value));
    }
    return {};
  }

  Outcome<void> RequireColumns(const toml::node& node, const std::string& path,
                               const ColumnSource& source) const {
    if (!source.parts.empty()) return {};
    return Wrong(node.source(), "\"" + path + "\" names no columns");
  }

  Outcome<void> ReadFields(const toml::node& node, ImportProfile& profile) const {
    if (!node.is_table()) return Wrong(node.source(), "\"fields\" must be a table");
    for (const auto& [key, value] : *node.as_table()) {
      const std::string path = "fields." + std::string(key.str());
      ProfileField& field = profile.fields[std::string(key.str())];
      std::string take;
      Members members = SourceMembers(field.source);
      AddCellMembers(members, field.cells);
      members.insert({{"take", TakeOneOf(take, {"first", "list"})},
                      {"others_to", TakeText(field.others_to)},
                      {"unless_taken_by", TakeText(field.unless_taken_by)},
                      {"values", TakeValues(field.values)}});
      COFFER_TRY(ReadTable(value, path, members));
      field.takes_list = take == "list";
      if (field.source.separator.empty() && (!take.empty() || !field.others_to.empty())) {
        return Wrong(value.source(), "\"" + path +
                                         "\" says which of several values to take, and no "
                                         "\"separator\" between them");
      }
    }
    for (const auto& [key, value] : *node.as_table()) {
      const ProfileField& field = profile.fields.at(std::string(key.str()));
      const bool filled = std::ranges::any_of(
          profile.fields, [&](const auto& other) { return other.second.others_to == key.str(); });
      if (!filled)
        COFFER_TRY(RequireColumns(value, "fields." + std::string(key.str()), field.source));
      for (const std::string* other : {&field.others_to, &field.unless_taken_by}) {
        if (!other->empty() && !profile.fields.contains(*other)) {
          return Wrong(value.source(), "\"fields." + std::string(key.str()) +
                                           "\" names the field \"" + *other +
                                           "\", which this profile does not fill");
        }
      }
    }
    return {};
  }

  std::string name_;
};

// Beside the program, as it is installed and as it is built.
std::filesystem::path InstalledProfiles() {
  if (const char* named = std::getenv("COFFER_PROFILES"); named != nullptr && *named != '\0') {
    return named;
  }
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return program.parent_path().parent_path() / "share" / "coffer" / "import";
}

std::string NamesIn(const std::filesystem::path& directory) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".toml") names.insert(entry.path().stem().string());
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Outcome<ImportProfile> ParseProfile(const std::string& text, const std::string& name) {
  try {
    return ProfileReader(name).Read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    return Failed(Exit::kUsage, name + ", line " + std::to_string(at.line) + ", column " +
                                    std::to_string(at.column) + ": " +
                                    std::string(error.description()));
  }
}

Outcome<ImportProfile> LoadProfile(const std::string& profile) {
  std::filesystem::path path = profile;
  if (profile.find('/') == profile.npos && !profile.ends_with(".toml")) {
    const auto directory = InstalledProfiles();
    path = directory / (profile + ".toml");
    if (std::error_code error; !std::filesystem::exists(path, error)) {
      const std::string names = NamesIn(directory);
      return Failed(Exit::kUsage, "there is no profile \"" + profile + "\"",
                    names.empty() ? "None are in " + directory.string() +
                                        ": name the file of one, with its path."
                                  : "There are: " + names + "; or name the file of one.");
    }
  }
  COFFER_ASSIGN(const auto file, InputFile::Open(path.string(), InputFile::Passes::kOne));
  std::string text(kMaxProfileBytes + 1, '\0');
  COFFER_ASSIGN(const std::size_t size, file->Read(text));
  if (size > kMaxProfileBytes) {
    return Failed(Exit::kUsage, file->name() + " is larger than a profile may be (1 MiB)");
  }
  text.resize(size);
  return ParseProfile(text, path.string());
}

}  // namespace coffer::cli
