#include "audit/documents/page_writer.h"

#include "audit/documents/page_time.h"
#include "audit/text/visible_text.h"
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
th{background:#f2f4f6;border-bottom-color:#aaa;vertical-align:bottom;hyphens:auto;word-break:keep-all}
td{overflow-wrap:anywhere}
td.n,th.n{text-align:right}
td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
td.w{white-space:nowrap}
td.l{min-width:9em}
td:first-child:not(.n){min-width:8em}
dd div+div{margin-top:.2rem}
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
code{font-size:8px}nav{display:none}thead{display:table-header-group}tr,dd{break-inside:avoid}
h2{break-after:avoid}div.t{overflow:visible}
td.l{min-width:7em}td.w{white-space:normal}}
@media screen and (max-width:48rem){body{padding:.75rem}nav{float:none;margin:0 0 .6rem}
nav :first-child{margin-left:0}dl{display:block}dt{margin-top:.6rem}
table,tbody,tr,td{display:block}thead{display:none}tr{padding:.4rem 0;border-bottom:1px solid #aaa}
td,td.n,td.w{display:flow-root;padding:.1rem 0 .1rem 9.5rem;border:0;text-align:left;white-space:normal}
td.l,td:first-child:not(.n){min-width:0}td:empty{display:none}tr.s{border-top:1px solid #aaa}tr.s td{border-top:0}
tr.d{padding-left:.4rem;border-left:4px solid #c9826f}tr.d td{background:none}
td::before{float:left;width:9rem;margin-left:-9.5rem;color:#555;font-weight:400;hyphens:auto}}
)";

// A string of CSS; what could end it, or the element that it stands in, is written by its code.
std::string CssString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '<' || static_cast<unsigned char>(c) < 0x20) {
      out.append("\\").append(crypto::HexEncode(crypto::AsBytes({&c, 1}))).append(" ");
    } else {
      out.push_back(c);
    }
  }
  return out.append("\"");
}

std::string TimeHtml(Timestamp ts, std::string_view words) {
  return "<time datetime=\"" + FormatTimestamp(ts) + "\">" + Html(words) + "</time>";
}

}  // namespace

std::string CodeHtml(std::string_view text) {
  return text.empty() ? "" : "<code>" + Html(text) + "</code>";
}

void PageWriter::Start(std::string_view title, std::string_view before_heading) {
  title_ = title;
  out_.append(before_heading).append("<h1>").append(Html(title)).append("</h1>\n");
}

std::string PageWriter::Finish() {
  std::string style = std::string(kPageStyle).append(more_style_);
  if (!cell_names_.empty()) {
    style.append("@media screen and (max-width:48rem){\n").append(cell_names_).append("}\n");
  }
  std::string page = "<!DOCTYPE html>\n<html lang=\"";
  page.append(LanguageTag(language_));
  page.append(
      "\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'sha256-");
  page.append(crypto::Base64Encode(crypto::Sha256(crypto::AsBytes(style))));
  page.append("'; base-uri 'none'; form-action 'none'\">\n");
  page.append(
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
  // A title holds no markup.
  AppendHtml(VisibleText(title_), page);
  page.append("</title>\n<style>").append(style).append("</style>\n</head>\n<body>\n");
  return page.append(out_).append("</body>\n</html>\n");
}

std::string PageWriter::Labelled(std::string_view prefix, std::string_view code) const {
  const std::string* const words = Find(messages_, prefix, code);
  if (words == nullptr) return CodeHtml(code);
  return Html(*words) + "<small>" + CodeHtml(code) + "</small>";
}

std::string PageWriter::Titled(std::string_view title, std::string_view code) {
  if (title.empty()) return CodeHtml(code);
  return Html(title) + "<small>" + CodeHtml(code) + "</small>";
}

std::string PageWriter::Counted(std::string_view key, std::uint64_t n) const {
  return Fill(SayCount(language_, key, n), {{"{n}", std::to_string(n)}});
}

std::string PageWriter::LongTime(Timestamp ts) const {
  return TimeHtml(ts, LongTimeText(ts, language_));
}

std::string PageWriter::ShortTime(Timestamp ts) const {
  return TimeHtml(ts, ShortTimeText(ts, language_));
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
  const std::string table = "t" + std::to_string(++tables_);
  out_.append("<div class=\"t\"><table class=\"").append(table).append("\"><thead><tr>");
  std::size_t column = 0;
  for (const auto& [key, kind] : cells) {
    cell_names_.append(".").append(table).append(" td:nth-child(");
    cell_names_.append(std::to_string(++column)).append(")::before{content:");
    cell_names_.append(CssString(Text(key))).append("}\n");
    out_.append(kind.empty() ? "<th scope=\"col\">" : "<th scope=\"col\" class=\"n\">");
    out_.append(Html(Text(key))).append("</th>");
  }
  out_.append("</tr></thead><tbody>\n");
}

void PageWriter::EndTable() { out_.append("</tbody></table></div>\n"); }

}  // namespace coffer::audit
