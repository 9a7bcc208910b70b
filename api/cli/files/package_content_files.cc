#include "api/cli/files/package_content_files.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cli/files/package_parts.h"
#include "api/cli/text/json_view.h"
#include "api/cli/text/package_page.h"
#include "api/cli/text/table_cell.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::cli {
namespace {

using audit::NamedFile;
using nlohmann::json;

constexpr std::string_view kVerifyText =
    R"(How to check this package
=========================

Each file is as it was made:

    sha256sum -c SHA256SUMS

What the vault handed out are the files part-0001.json and on, to the byte; tables and pages were
made from them. receipt.zip has the entries of the vault's log about them, each with a proof that
it is in the log, signed by the log's key. Have that key from elsewhere than from here:

    coffer verify --evidence receipt.zip --log-key KEY

Without Coffer, VERIFY.txt in receipt.zip does the same with public tools. Then the SHA-256 of the
parts are those that the entries have, in their order:

    unzip -p receipt.zip entries.ndjson | grep -o '"payload_hash":"[0-9a-f]*"' | cut -d '"' -f 4
    sha256sum part-*.json | cut -d ' ' -f 1

"about", "log" in part-0001.json has a signed checkpoint of the log. Each item of "log" in the
parts has the hash of its entry (RFC 6962, base64) and a proof of inclusion under that checkpoint:
an entry that was altered, or that is not in the log, has none. Where the package does not name the
staff, the entry itself stays with the vault; whoever may see it can compare its hash.
)";

using Columns = std::vector<std::string>;

// A row for each item, with these members.
std::string TableOf(const json& items, const Columns& columns) {
  std::string table;
  for (const auto& column : columns) AppendPlainCell(column, table);
  table += "\n";
  for (const json& item : items) {
    std::string line;
    for (const auto& column : columns) AppendTableCell(Member(item, column), line);
    table += line + "\n";
  }
  return table;
}

// Their fields as columns, behind what each version has; a field of such a name is "data.NAME".
std::string TableOfVersions(const json& versions) {
  static const Columns kOwn = {"record",  "class",   "version", "current",
                               "created", "written", "masked",  "left_out"};
  std::set<std::string> fields;
  for (const json& version : versions) {
    for (const auto& [name, value] : Member(version, "data").items()) fields.insert(name);
  }
  Columns columns = kOwn;
  columns.emplace_back("kept_until");
  const std::set<std::string> taken(columns.begin(), columns.end());
  json rows = versions;
  for (json& row : rows) {
    const std::string until = Text(Member(row, "kept"), "until");
    row["kept_until"] = until;
    for (const auto& field : fields) {
      const std::string column = taken.contains(field) ? "data." + field : field;
      if (Member(row, "data").contains(field)) row[column] = row["data"][field];
    }
  }
  for (const auto& field : fields) {
    columns.push_back(taken.contains(field) ? "data." + field : field);
  }
  return TableOf(rows, columns);
}

std::string Numbered(std::string_view name, std::size_t number, std::size_t digits,
                     std::string_view ending) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return std::string(name) + text + std::string(ending);
}

void AddTables(const json& package, std::vector<NamedFile>& files) {
  const json& about = Member(package, "about");
  files.push_back({"client.csv", TableOf(json::array({Member(about, "client")}),
                                         {"id", "external_ref", "tags", "version", "created",
                                          "updated", "relationship_end"})});
  std::map<std::string, json> by_class;
  for (const json& item : Member(package, "records")) {
    by_class.try_emplace(Text(item, "class"), json::array()).first->second.push_back(item);
  }
  std::size_t number = 0;
  for (const auto& [name, versions] : by_class) {
    files.push_back({Numbered("records-", ++number, 2, ".csv"), TableOfVersions(versions)});
  }
  files.push_back({"consents.csv",
                   TableOf(Member(about, "consents"),
                           {"id", "purpose", "text", "text_version", "language", "sha256", "given",
                            "channel", "by_client", "expires", "withdrawn", "stands", "entry"})});
  files.push_back({"restrictions.csv", TableOf(Member(about, "restrictions"),
                                               {"id", "since", "class", "purposes", "legal_bases",
                                                "all_but", "lifted", "basis"})});
  files.push_back(
      {"requests.csv", TableOf(Member(about, "requests"),
                               {"id", "kind", "regime", "received", "state", "decided", "entry"})});
  files.push_back({"disclosures.csv", TableOf(Member(about, "disclosures"),
                                              {"id", "given", "recipient", "category", "country",
                                               "source", "purpose", "classes", "entry"})});
  files.push_back({"packages.csv", TableOf(Member(about, "packages"),
                                           {"id", "prepared", "state", "handed_out", "entry"})});
  files.push_back(
      {"log.csv", TableOf(Member(package, "log"),
                          {"seq", "at", "action", "who", "decision", "outcome", "purpose", "class",
                           "record", "version", "fields", "leaf_hash"})});
  json left_out = Member(about, "left_out");
  for (const json& item : Member(package, "left_out")) left_out.push_back(item);
  files.push_back(
      {"left-out.csv", TableOf(left_out, {"what", "class", "field", "reason", "count"})});
}

std::string HexHash(const std::string& bytes) {
  return crypto::HexEncode(crypto::Sha256(crypto::AsBytes(bytes)));
}

}  // namespace

Outcome<std::vector<NamedFile>> PackageContentFiles(const PackageMaterial& material) {
  COFFER_ASSIGN(const json package, JoinParts(material.parts));
  std::vector<NamedFile> files;
  for (std::size_t i = 0; i < material.languages.size(); ++i) {
    const auto language = material.languages[i];
    COFFER_ASSIGN(std::string page, PackagePage(package, language, material.contact));
    std::string name = i == 0 ? "index.html" : "index." + std::string(Name(language)) + ".html";
    files.push_back({std::move(name), std::move(page)});
  }
  AddTables(package, files);
  for (std::size_t i = 0; i < material.parts.size(); ++i) {
    files.push_back({Numbered("part-", i + 1, 4, ".json"), material.parts[i]});
  }
  files.push_back({"receipt.zip", material.receipt});
  files.push_back({"VERIFY.txt", std::string(kVerifyText)});
  json manifest = {{"format", "coffer-access-package-files-v1"},
                   {"package", Text(package, "package")},
                   {"made", Text(package, "made")},
                   {"files", json::array()}};
  std::string sums;
  for (const NamedFile& file : files) {
    const std::string hash = HexHash(file.bytes);
    manifest["files"].push_back(
        {{"name", file.name}, {"size", file.bytes.size()}, {"sha256", hash}});
    sums += hash + "  " + file.name + "\n";
  }
  std::string text = manifest.dump(1) + "\n";
  sums += HexHash(text) + "  MANIFEST.json\n";
  files.push_back({"MANIFEST.json", std::move(text)});
  files.push_back({"SHA256SUMS", std::move(sums)});
  return files;
}

}  // namespace coffer::cli
