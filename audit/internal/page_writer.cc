#include "audit/internal/page_writer.h"

#include "audit/internal/visible_text.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kPageStyle =
    R"(:root{color-scheme:light}
body{font:14px/1.45 system-ui,"Segoe UI","Noto Sans","Helvetica Neue",Arial,"PingFang SC",)"
    R"("Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif;)"
    R"(color:#1a1a1a;background:#fff;margin:0 auto;padding:1.5rem;max-width:90rem}
nav{float:right;margin-left:1rem}
nav a,nav b{margin-left:.6rem}
a{color:#0b4f8a}
h1{font-size:1.35rem;margin:0 0 1rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;margin:0}
dt{color:#555}
dd{margin:0;overflow-wrap:anywhere}
div.t{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid #ddd}
th{background:#f2f4f6;border-bottom-color:#aaa;white-space:nowrap}
td{overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.w{white-space:nowrap}
td.l{min-width:9em}
dd,td,code,h1{unicode-bidi:isolate}
code{font:12px/1.4 ui-monospace,"Cascadia Mono","DejaVu Sans Mono",Menlo,Consolas,monospace}
small{color:#555;display:block}
tr.d td{background:#fdf0ee}
td.x{font-weight:600;color:#9c2a10}
td.x small{font-weight:400}
tr.s td{font-weight:600;border-top:1px solid #aaa}
.u{font:11px ui-monospace,"DejaVu Sans Mono",Consolas,monospace;color:#7a1500;)"
    R"(border:1px solid #d9b3a8;border-radius:2px;padding:0 .2em;white-space:nowrap}
@media print{@page{size:A4 landscape;margin:12mm}body{font-size:9px;padding:0;max-width:none}
code{font-size:8px}nav{display:none}thead{display:table-header-group}tr{break-inside:avoid}
div.t{overflow:visible}}
)";

}  // namespace

std::string PageTime(Timestamp ts) {
  std::string text = FormatTimestamp(ts);
  return "<time datetime=\"" + text + "\">" + text.substr(0, 10) + " " + text.substr(11, 12) +
         "</time>";
}

std::string CodeHtml(std::string_view text) {
  return text.empty() ? "" : "<code>" + Html(text) + "</code>";
}

void PageWriter::Start(std::string_view title, std::string_view before_heading) {
  const std::string style_hash = crypto::Base64Encode(
      crypto::Sha256({crypto::AsBytes(kPageStyle), crypto::AsBytes(more_style_)}));
  out_.append("<!DOCTYPE html>\n<html lang=\"").append(LanguageTag(language_));
  out_.append(
      "\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'sha256-");
  out_.append(style_hash).append("'; base-uri 'none'; form-action 'none'\">\n");
  out_.append(
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
  // A title holds no markup.
  AppendHtml(VisibleText(title), out_);
  out_.append("</title>\n<style>").append(kPageStyle).append(more_style_);
  out_.append("</style>\n</head>\n<body>\n").append(before_heading);
  out_.append("<h1>").append(Html(title)).append("</h1>\n");
}

std::string PageWriter::Finish() {
  out_.append("</body>\n</html>\n");
  return std::move(out_);
}

std::string PageWriter::Labelled(std::string_view prefix, std::string_view code) const {
  const std::string* const words = Find(messages_, prefix, code);
  if (words == nullptr) return CodeHtml(code);
  return Html(*words) + "<small>" + CodeHtml(code) + "</small>";
}

void PageWriter::Heading(std::string_view key) {
  out_.append("<h2>").append(Html(Text(key))).append("</h2>\n");
}

void PageWriter::Paragraph(std::string_view key) {
  out_.append("<p>").append(Html(Text(key))).append("</p>\n");
}

void PageWriter::Definition(std::string_view key, std::string_view html) {
  if (html.empty()) return;
  out_.append("<dt>").append(Html(Text(key))).append("</dt><dd>").append(html).append("</dd>\n");
}

void PageWriter::Cell(std::string_view html, std::string_view kind) {
  out_.append("<td");
  if (!kind.empty()) out_.append(" class=\"").append(kind).append("\"");
  out_.append(">").append(html).append("</td>");
}

void PageWriter::HeadCells(
    std::initializer_list<std::pair<std::string_view, std::string_view>> cells) {
  out_.append("<div class=\"t\"><table><thead><tr>");
  for (const auto& [key, kind] : cells) {
    out_.append(kind.empty() ? "<th scope=\"col\">" : "<th scope=\"col\" class=\"n\">");
    out_.append(Html(Text(key))).append("</th>");
  }
  out_.append("</tr></thead><tbody>\n");
}

void PageWriter::EndTable() { out_.append("</tbody></table></div>\n"); }

}  // namespace coffer::audit
