#include "audit/documents/evidence_page.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <span>
#include <utility>

#include "audit/documents/messages.h"
#include "audit/documents/page_writer.h"
#include "audit/entries/entry.h"
#include "audit/text/visible_text.h"

namespace coffer::audit {
namespace {

struct PageRow {
  const EvidenceEntry* item = nullptr;
  std::optional<Entry> entry;  // absent when it cannot be parsed
};

class Page : private PageWriter {
 public:
  Page(const Evidence& evidence, PageLanguage language)
      : PageWriter(language, evidence.names), evidence_(evidence) {
    for (const EvidenceEntry& item : evidence.entries) {
      auto entry = ParseEntry(item.bytes);
      rows_.push_back({&item, entry ? std::optional(*std::move(entry)) : std::nullopt});
    }
  }

  std::string Render();

 private:
  void Head();
  void About();
  void Summary();
  void Entries();
  void Row(const PageRow& row);
  void Check();

  std::string Title() const;
  std::string Period() const;
  std::string_view CompletenessKey() const;
  std::string Actor(const Entry& entry) const;
  std::string Object(const Entry& entry) const;
  std::string Rule(std::string_view rule) const;
  std::string Explanation(const PageRow& row) const;
  bool IsNeighbour(const Entry& entry) const;

  const Evidence& evidence_;
  std::vector<PageRow> rows_;
};

std::string Page::Render() {
  Head();
  About();
  Summary();
  Entries();
  Check();
  return Finish();
}

// The languages' pages lie beside one another in the bundle.
void Page::Head() {
  std::string others = "<nav>";
  for (const PageLanguage other : kPageLanguages) {
    const std::string name = Html(Say(MessagesIn(other), "language"));
    if (other == language_) {
      others.append("<b>").append(name).append("</b>");
    } else {
      others.append("<a lang=\"").append(LanguageTag(other)).append("\" href=\"");
      others.append(PageFileName(other)).append("\">").append(name).append("</a>");
    }
  }
  Start(Title(), others.append("</nav>\n"));
}

std::string Page::Title() const {
  return Fill(Text(std::string("title.").append(Name(evidence_.kind))), evidence_.subject);
}

void Page::About() {
  Heading("section.about");
  const auto line = [&](std::size_t number) {
    std::string_view rest = evidence_.checkpoint;
    for (; number > 0 && rest.contains('\n'); --number) rest.remove_prefix(rest.find('\n') + 1);
    return rest.substr(0, rest.find('\n'));
  };
  out_.append("<dl>\n");
  Definition("about.subject", CodeHtml(evidence_.subject));
  Definition("about.period", Period());
  Definition("about.entries", std::to_string(rows_.size()));
  Definition("about.completeness", Html(Text(CompletenessKey())));
  Definition("about.created", LongTime(evidence_.created));
  Definition("about.requested_by", CodeHtml(evidence_.requested_by));
  Definition("about.reason", Html(evidence_.reason));
  Definition("about.log", CodeHtml(line(0)));
  Definition("about.checkpoint", Html(line(1)));
  out_.append("</dl>\n");
}

std::string Page::Period() const {
  if (!evidence_.from && !evidence_.to) return Html(Text("period.all"));
  std::string html;
  if (evidence_.from) html = Fill(Html(Text("period.from")), LongTime(*evidence_.from));
  if (evidence_.to) {
    if (!html.empty()) html.push_back(' ');
    html.append(Fill(Html(Text("period.to")), LongTime(*evidence_.to)));
  }
  return html;
}

std::string_view Page::CompletenessKey() const {
  if (!evidence_.complete) return "completeness.none";
  switch (evidence_.kind) {
    case EvidenceKind::kClient:
    case EvidenceKind::kPrincipal:
      return "completeness.claimed";
    case EvidenceKind::kRange:
      return "completeness.range";
  }
  std::abort();
}

void Page::Summary() {
  struct Sum {
    std::uint64_t allowed = 0;
    std::uint64_t denied = 0;
    Timestamp first;
    Timestamp last;
    void Add(const Entry& entry) {
      if (allowed + denied == 0) first = entry.ts;
      last = entry.ts;
      ++(entry.decision == Decision::kAllow ? allowed : denied);
    }
  };
  const bool by_client = evidence_.kind == EvidenceKind::kPrincipal;
  std::map<std::string, Sum> sums;
  Sum total;
  for (const PageRow& row : rows_) {
    if (!row.entry || IsNeighbour(*row.entry)) continue;
    sums[by_client ? row.entry->client : row.entry->actor].Add(*row.entry);
    total.Add(*row.entry);
  }
  if (sums.empty()) return;
  Heading("section.summary");
  HeadCells({{by_client ? "summary.client" : "column.actor", ""},
             {"summary.entries", "n"},
             {"summary.allowed", "n"},
             {"summary.denied", "n"},
             {"summary.first", ""},
             {"summary.last", ""}});
  const auto line = [&](std::string_view name, const Sum& sum) {
    Cell(name);
    Cell(std::to_string(sum.allowed + sum.denied), "n");
    Cell(std::to_string(sum.allowed), "n");
    Cell(std::to_string(sum.denied), sum.denied == 0 ? "n" : "n x");
    Cell(ShortTime(sum.first), "w");
    Cell(ShortTime(sum.last), "w");
    out_.append("</tr>\n");
  };
  std::vector<std::pair<std::string, Sum>> ordered(sums.begin(), sums.end());
  std::ranges::stable_sort(ordered, std::ranges::greater{}, [](const auto& named) {
    return named.second.allowed + named.second.denied;
  });
  for (const auto& [id, sum] : ordered) {
    out_.append("<tr>");
    line(id.empty() ? Html(Text(by_client ? "summary.no_client" : "actor.nobody")) : CodeHtml(id),
         sum);
  }
  out_.append("<tr class=\"s\">");
  line(Html(Text("summary.total")), total);
  EndTable();
}

void Page::Entries() {
  Heading("section.entries");
  if (rows_.empty()) {
    Paragraph("page.none");
    return;
  }
  const std::size_t shown = std::min(rows_.size(), kMaxPageEntries);
  if (shown < rows_.size()) {
    out_.append("<p>").append(Html(Counted("page.cut", shown)));
    out_.append("</p>\n");
  }
  HeadCells({{"column.seq", "n"},
             {"column.time", ""},
             {"column.actor", ""},
             {"column.action", ""},
             {"column.object", ""},
             {"column.fields", ""},
             {"column.purpose", ""},
             {"column.decision", ""},
             {"column.outcome", ""},
             {"column.reason", ""}});
  for (const PageRow& row : std::span(rows_).first(shown)) Row(row);
  EndTable();
}

void Page::Row(const PageRow& row) {
  const std::string number = std::to_string(row.item->seq);
  if (!row.entry) {
    out_.append("<tr class=\"d\">");
    Cell(number, "n");
    out_.append("<td colspan=\"9\">").append(CodeHtml(row.item->bytes)).append("</td></tr>\n");
    return;
  }
  const Entry& entry = *row.entry;
  const bool denied = entry.decision == Decision::kDeny;
  std::string fields;
  for (const std::string& field : entry.fields) {
    const std::string_view title = names_.OfField(entry.class_name, field);
    fields.append(fields.empty() ? "" : ", ");
    if (!title.empty()) fields.append(Html(title)).append(" ");
    fields.append(CodeHtml(field));
  }
  const std::string* const decided = Find(messages_, "decision.", Name(entry.decision));
  out_.append(denied ? "<tr class=\"d\">" : "<tr>");
  Cell(number, "n");
  Cell(ShortTime(entry.ts));
  Cell(Actor(entry));
  Cell(Labelled("action.", entry.action), "l");
  Cell(Object(entry));
  Cell(fields);
  Cell(Titled(names_.OfPurpose(entry.purpose), entry.purpose));
  Cell((decided == nullptr ? "" : Html(*decided)) + Rule(entry.rule), denied ? "x" : "");
  Cell(Labelled("outcome.", entry.outcome), "l");
  Cell(Explanation(row));
  out_.append("</tr>\n");
}

std::string Page::Actor(const Entry& entry) const {
  std::string html = entry.actor.empty() ? Html(Text("actor.nobody")) : CodeHtml(entry.actor);
  std::string how;
  const auto add = [&](std::string_view words) {
    if (!words.empty()) how.append(how.empty() ? "" : ", ").append(words);
  };
  if (entry.actor_kind != ActorKind::kUnknown) {
    add(Html(Text(std::string("kind.").append(Name(entry.actor_kind)))));
  }
  // "token:tok_…": the kind in words, which of them as it stands.
  const std::string_view shown = entry.auth;
  const std::size_t colon = std::min(shown.find(':'), shown.size());
  if (const std::string* const auth = Find(messages_, "auth.", shown.substr(0, colon))) {
    add(Html(*auth));
    if (colon < shown.size()) add(CodeHtml(shown.substr(colon + 1)));
  } else {
    add(CodeHtml(entry.auth));
  }
  add(CodeHtml(entry.address));
  return how.empty() ? html : html.append("<small>").append(how).append("</small>");
}

std::string Page::Object(const Entry& entry) const {
  std::string html;
  const auto add = [&](std::string_view key, std::string_view code, std::string_view title = {}) {
    if (code.empty()) return;
    if (!title.empty()) html.append("<div>").append(Html(title)).append("</div>");
    html.append("<small>").append(Html(Text(key))).append(" ").append(CodeHtml(code));
    html.append("</small>");
  };
  if (evidence_.kind != EvidenceKind::kClient) add("object.client", entry.client);
  add("object.class", entry.class_name, names_.OfClass(entry.class_name));
  add("object.record", entry.record);
  if (entry.version != 0) add("object.version", std::to_string(entry.version));
  return html;
}

// "check:budget" and "self" are words of their own, "role:desk" is one with a name in it.
std::string Page::Rule(std::string_view rule) const {
  if (rule.empty()) return "";
  const auto colon = rule.find(':');
  const std::string_view kind = rule.substr(0, colon);
  const std::string_view name = colon == std::string_view::npos ? "" : rule.substr(colon + 1);
  const bool check = kind == "check";
  const std::string* const words =
      check ? Find(messages_, "rule.check.", name) : Find(messages_, "rule.", kind);
  std::string html = "<small>";
  if (words == nullptr) {
    html.append(CodeHtml(rule));
  } else {
    html.append(check ? Html(*words) : Fill(Html(*words), CodeHtml(name)));
  }
  return html.append("</small>");
}

// The reason, the ticket, and what else the entry says.
std::string Page::Explanation(const PageRow& row) const {
  constexpr std::string_view kTicket = "ticket ";
  std::string html;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    html.append("<div>").append(Html(Text(key))).append(": ").append(Html(value)).append("</div>");
  };
  const auto add_codes = [&](std::string_view key, std::string_view codes) {
    if (codes.empty()) return;
    html.append("<div>").append(Html(Text(key))).append(": ").append(CodeHtml(codes));
    html.append("</div>");
  };
  if (row.item->note) {
    add("entry.reason", row.item->note->text);
  } else if (row.entry->note_hash) {
    html.append("<small>").append(Html(Text("entry.reason_sealed"))).append("</small>");
  }
  std::string_view detail = row.entry->detail;
  if (detail.starts_with(kTicket)) {
    const auto end = detail.find("; ");
    add("entry.ticket",
        detail.substr(kTicket.size(), end == detail.npos ? end : end - kTicket.size()));
    detail = end == detail.npos ? "" : detail.substr(end + 2);
  }
  add_codes("entry.detail", detail);
  if (IsNeighbour(*row.entry)) {
    html.append("<small>").append(Html(Text("entry.neighbour"))).append("</small>");
  }
  return html;
}

bool Page::IsNeighbour(const Entry& entry) const {
  return evidence_.kind == EvidenceKind::kRange &&
         ((evidence_.from && entry.ts < *evidence_.from) ||
          (evidence_.to && entry.ts >= *evidence_.to));
}

void Page::Check() {
  Heading("section.check");
  for (const std::string_view key : {"check.how", "check.times", "check.codes"}) Paragraph(key);
}

}  // namespace

std::string RenderEvidencePage(const Evidence& evidence, PageLanguage language) {
  return Page(evidence, language).Render();
}

}  // namespace coffer::audit
