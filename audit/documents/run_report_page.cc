#include "audit/documents/page_writer.h"
#include "audit/documents/run_report.h"
#include "audit/documents/signature_section.h"
#include "audit/text/visible_text.h"
#include "crypto/encoding.h"

namespace coffer::audit {
namespace {

class RunPageWriter : private PageWriter {
 public:
  RunPageWriter(const RunReport& report, std::string_view note, PageLanguage language,
                const PageNames& names)
      : PageWriter(language, names, kDocumentStyle), report_(report), note_(note) {}

  std::string Render() {
    Start(Fill(Text("run.title"), report_.run));
    About();
    Classes();
    Signature();
    return Finish();
  }

 private:
  void About() {
    Heading("section.about");
    out_.append("<dl>\n");
    Definition("run.run", CodeHtml(report_.run));
    Definition("act.vault", CodeHtml(report_.vault));
    Definition("run.started", LongTime(report_.started));
    Definition("run.finished", LongTime(report_.finished));
    Definition("run.trigger",
               Html(Text(std::string("run.trigger.").append(Name(report_.trigger)))));
    Definition("about.requested_by", CodeHtml(report_.requested_by));
    if (report_.version != 1) Definition("run.outcome", OutcomeHtml());
    Definition("run.clock", Labelled("run.clock.", report_.clock));
    Definition("run.schedule", Html(Text("object.version")) + " " +
                                   std::to_string(report_.schedule_version) + "<small>SHA-256 " +
                                   CodeHtml(crypto::HexEncode(report_.schedule_hash)) + "</small>");
    Definition("about.log", CodeHtml(report_.log));
    Definition("run.entries",
               std::to_string(report_.first_seq) + "–" + std::to_string(report_.last_seq));
    out_.append("</dl>\n");
  }

  std::string OutcomeHtml() {
    std::string html = Html(Text(std::string("run.outcome.").append(Name(report_.outcome))));
    if (!report_.reason.empty()) html += ": " + Labelled("run.reason.", report_.reason);
    if (!report_.detail.empty()) html += " " + CodeHtml(report_.detail);
    return html;
  }

  void Classes() {
    Heading("run.section.classes");
    if (!report_.counted) Paragraph("run.uncounted");
    if (report_.nothing_was_due()) Paragraph("run.nothing");
    if (report_.version == 1) Paragraph("run.older");
    if (report_.classes.empty()) return;
    const bool whole = report_.version != 1;
    if (whole) {
      HeadCells({{"object.class", ""},
                 {"run.due", "n"},
                 {"run.erased", "n"},
                 {"run.restricted", "n"},
                 {"run.review", "n"},
                 {"run.held", "n"},
                 {"run.waiting", "n"},
                 {"run.unreached", "n"},
                 {"run.unknown", "n"},
                 {"run.failed", "n"}});
    } else {
      HeadCells({{"object.class", ""},
                 {"run.due", "n"},
                 {"run.erased", "n"},
                 {"run.restricted", "n"},
                 {"run.review", "n"},
                 {"run.held", "n"},
                 {"run.failed", "n"}});
    }
    RunClass total;
    for (const RunClass& counts : report_.classes) {
      out_.append("<tr>");
      Row(ClassName(counts.class_name), counts);
      total.due += counts.due;
      total.erased += counts.erased;
      total.restricted += counts.restricted;
      total.review += counts.review;
      total.held += counts.held;
      total.failed += counts.failed;
      total.waiting += counts.waiting;
      total.unreached += counts.unreached;
      total.unknown += counts.unknown;
    }
    out_.append("<tr class=\"s\">");
    Row(Html(Text("summary.total")), total);
    EndTable();
    if (total.waiting != 0) Paragraph("run.waiting.why");
    if (total.unreached != 0) Paragraph("run.unreached.why");
    if (total.unknown != 0) Paragraph("run.unknown.why");
  }

  std::string ClassName(const std::string& name) const {
    return name.starts_with('(') ? Labelled("run.class.", name)
                                 : Titled(names_.OfClass(name), name);
  }

  void Row(std::string_view name, const RunClass& counts) {
    Cell(name);
    for (const std::uint64_t count :
         {counts.due, counts.erased, counts.restricted, counts.review, counts.held}) {
      Cell(std::to_string(count), "n");
    }
    if (report_.version != 1) {
      Cell(std::to_string(counts.waiting), "n");
      for (const std::uint64_t count : {counts.unreached, counts.unknown}) {
        Cell(std::to_string(count), count == 0 ? "n" : "n x");
      }
    }
    Cell(std::to_string(counts.failed), counts.failed == 0 ? "n" : "n x");
    out_.append("</tr>\n");
  }

  void Signature() {
    Heading("act.section.signature");
    out_.append("<dl>\n");
    Definition("act.signature.lines", SignatureLinesHtml(note_));
    Definition("act.signature.hash", NoteHashHtml(note_));
    out_.append("</dl>\n");
    for (const std::string_view key : {"run.signature.how", "check.times", "check.codes"}) {
      Paragraph(key);
    }
  }

  const RunReport& report_;
  std::string_view note_;
};

}  // namespace

std::string RunReportPage(const RunReport& report, std::string_view note, PageLanguage language,
                          const PageNames& names) {
  return RunPageWriter(report, note, language, names).Render();
}

}  // namespace coffer::audit
