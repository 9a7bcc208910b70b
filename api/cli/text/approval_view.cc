#include "api/cli/text/approval_view.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::string Counted(const json& object, std::string_view member, std::string_view more) {
  return (Text(object, more) == "true" ? "more than " : "") + Text(object, member);
}

std::string Until(const json& rule) {
  const std::string state = Text(rule, "state");
  if (state == "until") return Text(rule, "until");
  if (state == "kept") return "for good";
  return state == "not-begun" ? "not known yet: it has not begun" : "not known: no calendar so far";
}

// As "contact (Contact details)", where the answer counts records of that class.
std::string Titled(const json& classes, const std::string& name) {
  for (const json& one : classes) {
    const std::string title = Text(one, "title");
    if (Text(one, "class") == name && !title.empty()) return name + " (" + title + ")";
  }
  return name;
}

void DescribeHolds(Console& console, const json& erasure) {
  const json& holds = Member(erasure, "holds");
  if (!holds.is_array() || holds.empty()) return;
  PrintHeading(console, "Holds that stand in its way: " + Text(erasure, "held_by"));
  Table table({"HOLD", "OF", "CASE", "REASON", "REVIEW DUE"});
  for (const json& hold : holds) {
    const std::string of = !Text(hold, "tag").empty()     ? "tag " + Text(hold, "tag")
                           : !Text(hold, "class").empty() ? "class " + Text(hold, "class")
                                                          : "the client";
    table.Add({Text(hold, "id"), of, Text(hold, "case_number"), Text(hold, "reason"),
               Text(hold, "review_due")});
  }
  table.Print(console);
}

void DescribeKept(Console& console, const json& erasure) {
  const json& kept = Member(erasure, "kept");
  if (!kept.is_array() || kept.empty()) return;
  PrintHeading(console, "The retention schedule would keep, if nobody asked");
  Table table({"CLASS", "RECORDS", "RULE", "UNTIL", "BASIS"});
  for (const json& rule : kept) {
    table.Add({Titled(Member(erasure, "classes"), Text(rule, "class")), Text(rule, "records"),
               Text(rule, "policy"), Until(rule), Text(rule, "basis")});
  }
  table.Print(console);
}

void DescribeProposedErasure(Console& console, const json& erasure) {
  if (Text(erasure, "there") != "true") {
    console.out << "The client is not there any more: nothing would be erased.\n";
    return;
  }
  const auto unless_none = [&](const char* member) {
    const std::string count = Text(erasure, member);
    return count == "0" ? std::string() : count;
  };
  PrintFields(console, {{"client", Text(erasure, "client")},
                        {"reference", Text(erasure, "external_ref")},
                        {"records", Text(erasure, "records")},
                        {"named, not there", unless_none("missing")},
                        {"assignments", unless_none("assignments")},
                        {"leases", unless_none("leases")}});
  if (Text(erasure, "all_counted") == "false") {
    console.out << "There are so many that rules were looked up for the first of them only.\n";
  }
  Table table({"CLASS", "TITLE", "RECORDS"});
  const json& classes = Member(erasure, "classes");
  for (const json& one : classes) {
    table.Add({Text(one, "class"), Text(one, "title"), Text(one, "records")});
  }
  if (!classes.empty()) table.Print(console);
  DescribeHolds(console, erasure);
  DescribeKept(console, erasure);
}

void DescribeHold(Console& console, const json& hold) {
  PrintFields(console, {{"client", Text(hold, "client")},
                        {"class", Text(hold, "class")},
                        {"tag", Text(hold, "tag")},
                        {"case", Text(hold, "case_number")},
                        {"placed because", Text(hold, "reason")},
                        {"review due", Text(hold, "review_due")},
                        {"clients", Counted(hold, "clients", "more_clients")},
                        {"other holds stay", Text(hold, "other_holds")}});
}

void DescribeReplacement(Console& console, const json& replacement) {
  const std::string what = Text(replacement, "what");
  const std::string name = Text(replacement, "name");
  if (Text(replacement, "is_new") == "true") {
    console.out << "There is no " << Printable(what) << " yet: all of it is new.\n";
  } else if (what == "role-of-account") {
    console.out << "Against the role that the account has, " << Printable(name) << ":\n";
  } else {
    console.out << "Against version " << Printable(Text(replacement, "version")) << " of the "
                << Printable(what) << (name.empty() ? "" : " ") << Printable(name) << ":\n";
  }
  const json& changes = Member(replacement, "changes");
  if (changes.empty()) console.out << "  nothing changes\n";
  for (const json& change : changes) {
    console.out << "  " << Printable(Text(change, "change")) << "  "
                << Printable(Text(change, "words")) << "\n";
  }
  if (Text(replacement, "more") == "true") console.out << "  and more\n";
}

}  // namespace

std::string WhoAsked(const json& question) {
  const std::string login = Text(question, "login"), name = Text(question, "name");
  // What a service or a token is called stands beside its id.
  return login.empty() ? std::string() : name + " (" + login + ")";
}

void DescribePreview(Console& console, const json& preview) {
  if (!preview.is_object()) return;
  PrintHeading(console, "What it would do at " + Text(preview, "at"));
  if (const json& erasure = Member(preview, "erasure"); erasure.is_object()) {
    DescribeProposedErasure(console, erasure);
  }
  if (const json& hold = Member(preview, "hold"); hold.is_object()) DescribeHold(console, hold);
  if (const json& exported = Member(preview, "export"); exported.is_object()) {
    PrintFields(console, {{"clients", Counted(exported, "clients", "more_clients")}});
  }
  if (const json& replacement = Member(preview, "replacement"); replacement.is_object()) {
    DescribeReplacement(console, replacement);
  }
}

}  // namespace coffer::cli
