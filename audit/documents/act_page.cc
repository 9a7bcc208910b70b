#include "audit/documents/act_page.h"

#include <cstdlib>

#include "audit/documents/page_writer.h"
#include "audit/documents/signature_section.h"
#include "audit/documents/statement_words.h"
#include "audit/text/visible_text.h"
#include "crypto/encoding.h"

namespace coffer::audit {
namespace {

// Keys of the catalogues. The act itself has the words of NIST.
std::string_view MethodKey(ErasureMethod method) {
  switch (method) {
    case ErasureMethod::kCryptographicErase:
      return "act.method.cryptographic-erase";
    case ErasureMethod::kClear:
      return "act.method.clear";
  }
  std::abort();
}

std::string_view ScopeKey(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::kClient:
      return "act.scope.client";
    case ScopeKind::kClass:
      return "act.scope.class";
    case ScopeKind::kRecords:
      return "act.scope.records";
  }
  std::abort();
}

class ActPageWriter : private PageWriter {
 public:
  ActPageWriter(const ErasureAct& act, std::string_view note, PageLanguage language,
                const PageNames& names)
      : PageWriter(language, names, kDocumentStyle), act_(act), note_(note) {}

  std::string Render() {
    Start(Fill(Text("act.title"), act_.erasure));
    Items();
    Categories();
    More();
    Signature();
    return Finish();
  }

 private:
  // A mandatory item is never left out: where it is missing the page says so.
  std::string Given(std::string_view text) const {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos ? NotGiven() : Html(text);
  }
  std::string NotGiven() const { return "<b>" + Html(Text("act.missing")) + "</b>"; }
  std::string Words(std::string_view stated) const {
    return StatementWords(stated, language_, names_);
  }
  std::string Party(std::string_view name, std::string_view address) const {
    return "<div>" + Given(name) + "</div><div>" + Given(address) + "</div>";
  }

  void Items() {
    const OperatorDetails& details = act_.details;
    const bool has_processor = !(details.processor_name + details.processor_address).empty();
    Heading("act.section.items");
    out_.append("<dl>\n");
    Definition("act.a", Party(details.name, details.address));
    Definition("act.b", has_processor ? Party(details.processor_name, details.processor_address)
                                      : Html(Text("act.no_processor")));
    Definition("act.c", Subject());
    Definition("act.d", DestroyedBy());
    Definition("act.e", CategoryNames());
    Definition("act.f", Html(Text("act.medium.electronic")));
    Definition("act.g", Given(details.system));
    Definition("act.h", Html(Text(MethodKey(act_.method))));
    Definition("act.i", Reason());
    Definition("act.j", LongTime(act_.date) + Replayed());
    out_.append("</dl>\n");
  }

  std::string Subject() const {
    std::string html = Html(Text("object.client")) + " " + CodeHtml(act_.client);
    if (!act_.reference.empty()) {
      html += "<div>" + Html(Text("act.reference")) + ": " + Html(act_.reference) + "</div>";
    }
    return html;
  }

  std::string DestroyedBy() const {
    if (act_.destroyed_by.empty()) return NotGiven();
    std::string html;
    for (const Destroyer& destroyer : act_.destroyed_by) {
      const std::string role = std::string("act.role.").append(Name(destroyer.role));
      html += "<div>" + Given(destroyer.name) + ", " + Given(destroyer.position) + " (" +
              Html(Text(role)) + ")<small>" + CodeHtml(destroyer.id) + "</small></div>";
    }
    return html;
  }

  std::string CategoryNames() const {
    if (act_.categories.empty()) return NotGiven();
    std::string html;
    for (const DestroyedCategory& category : act_.categories) {
      html += "<div>" + CategoryName(category) + "</div>";
    }
    return html;
  }
  std::string CategoryName(const DestroyedCategory& category) const {
    const std::string said = Words(category.title);
    return Titled(said.empty() ? names_.OfClass(category.class_name) : std::string_view(said),
                  category.class_name);
  }

  std::string Reason() const {
    const ErasureReason& reason = act_.reason;
    const std::string key = std::string("act.reason.").append(Name(reason.kind));
    std::string html = "<div>" + Html(Text(key)) + " " + CodeHtml(reason.id);
    if (reason.version != 0) {
      html += ", " + Html(Text("object.version")) + " " + std::to_string(reason.version);
    }
    return html + "</div><div>" + Given(Words(reason.legal_basis)) + "</div>";
  }

  std::string Replayed() const {
    if (!act_.replayed) return {};
    return "<div>" + Html(Text("act.replayed")) + ": " + LongTime(act_.replayed->date) +
           "</div><div>" +
           Html(Fill(Text("act.replayed.why"), std::to_string(act_.replayed->log_seq))) + "</div>";
  }

  void Categories() {
    if (act_.categories.empty()) return;
    Heading("act.section.categories");
    HeadCells({{"object.class", ""}, {"act.records", "n"}, {"act.versions", "n"}});
    for (const DestroyedCategory& category : act_.categories) {
      out_.append("<tr>");
      Cell(CategoryName(category));
      Cell(std::to_string(category.records), "n");
      Cell(std::to_string(category.versions), "n");
      out_.append("</tr>\n");
    }
    EndTable();
  }

  void More() {
    Heading("act.section.more");
    out_.append("<dl>\n");
    Definition("act.erasure", CodeHtml(act_.erasure));
    Definition("act.vault", CodeHtml(act_.vault));
    Definition("act.scope", Html(Text(ScopeKey(act_.scope.kind))) + ScopeClass());
    std::string records;
    for (const std::string& id : act_.records) records += CodeHtml(id) + " ";
    Definition("act.record_ids", records);
    Definition("act.key", Key());
    Definition("act.kept", Kept());
    Definition("act.backups", Html(act_.backup_horizon_days
                                       ? Counted("act.backups.days", *act_.backup_horizon_days)
                                       : Text("act.backups.unknown")));
    Definition("about.log", CodeHtml(act_.log));
    Definition("act.entry", Html(Fill(Text("act.entry.number"), std::to_string(act_.log_seq))) +
                                "<small>SHA-256 " + CodeHtml(crypto::HexEncode(act_.entry_hash)) +
                                "</small>");
    Definition("act.ledger", std::to_string(act_.ledger_seq));
    out_.append("</dl>\n");
  }

  std::string ScopeClass() const {
    const std::string& name = act_.scope.class_name;
    return name.empty() ? "" : "<div>" + Titled(names_.OfClass(name), name) + "</div>";
  }

  std::string Key() const {
    if (!act_.key) return Html(Text("act.key.none"));
    return CodeHtml(act_.key->id) + "<div>" +
           Html(Fill(Text("act.key.generation"), std::to_string(act_.key->generation))) +
           "</div><div>" +
           Html(Text(act_.key->replaced ? "act.key.replaced" : "act.key.not_replaced")) + "</div>";
  }

  std::string Kept() const {
    if (act_.kept.empty()) return Html(Text("act.kept.nothing"));
    std::string html;
    for (const KeptData& kept : act_.kept) {
      html +=
          "<div>" + Html(Words(kept.what)) + "<small>" + Html(Words(kept.why)) + "</small></div>";
    }
    return html;
  }

  void Signature() {
    Heading("act.section.signature");
    out_.append("<dl>\n");
    Definition("act.signature.lines", SignatureLinesHtml(note_));
    Definition("act.signature.hash", NoteHashHtml(note_));
    out_.append("</dl>\n");
    for (const std::string_view key : {"act.signature.how", "check.times", "check.codes"}) {
      Paragraph(key);
    }
  }

  const ErasureAct& act_;
  std::string_view note_;
};

}  // namespace

std::string ActPage(const ErasureAct& act, std::string_view note, PageLanguage language,
                    const PageNames& names) {
  return ActPageWriter(act, note, language, names).Render();
}

}  // namespace coffer::audit
