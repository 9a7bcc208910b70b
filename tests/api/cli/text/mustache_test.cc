#include "api/cli/text/mustache.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

using coffer::cli::Exit;
using coffer::cli::HtmlText;
using coffer::cli::RenderMustache;
using nlohmann::json;

namespace {

std::string Rendered(std::string_view tmpl, const json& values) {
  const auto text = RenderMustache(tmpl, values);
  return text ? *text : "FAILED: " + text.error().message;
}
Exit ExitOf(std::string_view tmpl, const json& values) {
  const auto text = RenderMustache(tmpl, values);
  return text ? Exit::kOk : text.error().exit;
}

}  // namespace

TEST_CASE("a template is filled with texts, numbers, lists and what is or is not") {
  const json values = {{"name", "Example"},     {"count", 3},
                       {"none", json::array()}, {"is", true},
                       {"not", false},          {"rows", {{{"cell", "a"}}, {{"cell", "b"}}}},
                       {"words", {"x", "y"}},   {"one", {{"cell", "c"}}}};
  CHECK(Rendered("{{name}} {{ count }}", values) == "Example 3");
  CHECK(Rendered("{{#rows}}[{{cell}} {{name}}]{{/rows}}", values) == "[a Example][b Example]");
  CHECK(Rendered("{{#words}}{{.}};{{/words}}", values) == "x;y;");
  CHECK(Rendered("{{#is}}yes{{/is}}{{^is}}no{{/is}}{{#not}}yes{{/not}}{{^not}}no{{/not}}",
                 values) == "yesno");
  CHECK(Rendered("{{^none}}empty{{/none}}{{#one}}{{cell}}{{/one}}{{! not said }}", values) ==
        "emptyc");
  CHECK(Rendered("", values).empty());
  CHECK(Rendered("{ } {x} }} no tag", values) == "{ } {x} }} no tag");
}

TEST_CASE("a value is no markup, no template and does not turn what stands around it") {
  const auto filled = [](std::string_view text) { return Rendered("<p>{{v}}</p>", {{"v", text}}); };
  CHECK(filled("<script>alert('1') & \"2\"</script>") ==
        "<p>&lt;script&gt;alert(&apos;1&apos;) &amp; &quot;2&quot;&lt;/script&gt;</p>");
  CHECK(filled("{{v}} {{{v}}} {{#v}}") == "<p>{{v}} {{{v}}} {{#v}}</p>");
  CHECK(filled("a\tb\nc") == "<p>a\tb\nc</p>");
  CHECK(filled("Привет 你好 שלום") == "<p>Привет 你好 שלום</p>");
  for (const std::string_view hidden :
       {"\xe2\x80\xae", "\xe2\x81\xa6", "\x1b", "\r", "\x7f", "\xff", "\xc2\x85", "\xe2\x80\xa8"}) {
    INFO(static_cast<int>(static_cast<unsigned char>(hidden.front())));
    const auto text = filled("a" + std::string(hidden) + "b");
    CHECK(text.find(hidden) == text.npos);
    CHECK(text.starts_with("<p>a"));
    CHECK(text.ends_with("b</p>"));
  }
  CHECK(HtmlText("").empty());
  CHECK(HtmlText("\t\t") == "\t\t");
}

TEST_CASE("what is no plain template is refused before anything is filled in") {
  const json values = {{"a", "x"}, {"s", true}};
  for (const std::string_view tmpl : {"{{{a}}}",
                                      "{{&a}}",
                                      "{{& a}}",
                                      "{{>a}}",
                                      "{{=<% %>=}}",
                                      "{{a.b}}",
                                      "{{.}}",
                                      "{{}}",
                                      "{{ }}",
                                      "{{A}}",
                                      "{{a b}}",
                                      "{{#s}}",
                                      "{{/s}}",
                                      "{{#s}}{{/a}}",
                                      "{{#s}}{{#a}}{{/s}}{{/a}}",
                                      "{{a",
                                      "{{^s}}",
                                      "{{#s}}{{/s}}{{s}}",
                                      "{{#.}}{{/.}}",
                                      "{{a\n}}",
                                      "{{a}}}",
                                      "{{#s}}}{{/s}}",
                                      "{{#s }}{{/ s}}}",
                                      "{{1a}}",
                                      "{{\xd0\xb0}}"}) {
    INFO(tmpl);
    CHECK(ExitOf(tmpl, values) == Exit::kUsage);
  }
  std::string deep;
  for (std::size_t i = 0; i <= coffer::cli::kMaxTemplateDepth; ++i) deep += "{{#s}}";
  for (std::size_t i = 0; i <= coffer::cli::kMaxTemplateDepth; ++i) deep += "{{/s}}";
  CHECK(ExitOf(deep, values) == Exit::kUsage);
  CHECK(ExitOf(deep.substr(6, deep.size() - 12), values) == Exit::kOk);
  CHECK(ExitOf(std::string(coffer::cli::kMaxTemplateBytes + 1, 'x'), values) == Exit::kUsage);
  CHECK(ExitOf(std::string(coffer::cli::kMaxTemplateBytes, 'x'), values) == Exit::kOk);
}

TEST_CASE("a name that there is not, or of another kind, leaves no gap") {
  const json values = {{"a", "x"}, {"s", true}, {"l", {1, json::array()}}, {"o", json::object()}};
  for (const std::string_view tmpl : {"{{b}}", "{{#b}}{{/b}}", "{{^b}}{{/b}}", "{{s}}", "{{o}}",
                                      "{{#a}}{{/a}}", "{{#l}}{{.}}{{/l}}", "{{#o}}{{c}}{{/o}}"}) {
    INFO(tmpl);
    CHECK(ExitOf(tmpl, values) == Exit::kFailed);
  }
  CHECK(Rendered("{{b}}", values).find("\"b\"") != std::string::npos);
  CHECK(ExitOf("a", {{"n", nullptr}}) == Exit::kFailed);
  CHECK(ExitOf("a", json::array()) == Exit::kFailed);
}
