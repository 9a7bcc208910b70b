// What Prometheus' conventions ask of names, types, units, help texts and labels, of all metrics.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "api/http/metrics.h"
#include "api/routes/routes.h"

namespace coffer::api {
namespace {

struct MetricFamily {
  std::string type, help;
  std::map<std::string, double> samples;  // by name and labels, as they stand
};

// The text format, version 0.0.4: what stands in front of samples belongs to them.
class Exposition {
 public:
  explicit Exposition(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) Take(line);
  }
  const std::map<std::string, MetricFamily>& families() const { return families_; }

 private:
  void Take(const std::string& line) {
    INFO(line);
    std::istringstream words(line);
    std::string hash, kind, name, rest;
    if (line.starts_with("#")) {
      words >> hash >> kind >> name;
      std::getline(words >> std::ws, rest);
      std::string& place = kind == "HELP" ? families_[name].help : families_[name].type;
      CHECK((kind == "HELP" || kind == "TYPE"));
      CHECK(place.empty());
      CHECK(families_[name].samples.empty());
      place = rest;
      current_ = name;
      return;
    }
    const auto space = line.rfind(' ');
    REQUIRE(space != line.npos);
    const std::string series = line.substr(0, space);
    CHECK(series.starts_with(current_));
    CHECK(families_[current_].samples.emplace(series, std::stod(line.substr(space))).second);
  }

  std::map<std::string, MetricFamily> families_;
  std::string current_;
};

vault::EngineStatistics BusyEngine() {
  vault::EngineStatistics engine;
  engine.operations = 7;
  engine.commit_nanoseconds = 1'500'000'000;
  engine.scrub.rounds = 3;
  static const auto service = vault::PrincipalId::New({1}, vault::PrincipalKind::kService);
  engine.tokens = {1, 2, audit::Timestamp{5'000}, {{service, "one", 1, {5'000}, {5'000}}}};
  return engine;
}

Exposition Shown(Metrics& metrics) {
  Connections::Counters connections;
  connections.accepted = 9;
  return Exposition(metrics.Render(BusyEngine(), connections, 1'800'000'000));
}

std::vector<std::string> LabelsOf(const std::string& series) {
  std::vector<std::string> labels;
  for (auto at = series.find('{'); at != series.npos && series[at] != '}';) {
    const auto equals = series.find("=\"", at);
    if (equals == series.npos) break;
    labels.push_back(series.substr(at + 1, equals - at - 1));
    at = series.find('"', equals + 2) + 1;
  }
  return labels;
}

TEST_CASE("every metric has a name of ours or a standard one, a help text and a type") {
  Metrics metrics(Routes());
  const Exposition shown = Shown(metrics);
  CHECK(shown.families().size() > 40);
  for (const auto& [name, family] : shown.families()) {
    INFO(name);
    CHECK((name.starts_with("coffer_") || name == "process_resident_memory_bytes"));
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == name.npos);
    CHECK(family.help.size() > 10);
    CHECK(!family.samples.empty());
    CHECK((family.type == "counter" || family.type == "gauge" || family.type == "histogram"));
  }
}

TEST_CASE("what only grows is a counter and ends in _total, and nothing else is or does") {
  Metrics metrics(Routes());
  const Exposition shown = Shown(metrics);
  for (const auto& [name, family] : shown.families()) {
    INFO(name << ": " << family.help);
    CHECK(name.ends_with("_total") == (family.type == "counter"));
    if (family.help.find("since the start") != std::string::npos) CHECK(family.type == "counter");
    for (const char* of_histograms : {"_count", "_sum", "_bucket"}) {
      CHECK(!name.ends_with(of_histograms));
    }
  }
  CHECK(shown.families().at("coffer_engine_operations_total").samples.begin()->second == 7);
}

TEST_CASE("a counter keeps what it has when an older look comes late") {
  Metrics metrics(Routes());
  (void)Shown(metrics);
  const Exposition late(metrics.Render({}, {}, 0));
  CHECK(late.families().at("coffer_engine_operations_total").samples.begin()->second == 7);
  CHECK(late.families().at("coffer_connections_accepted_total").samples.begin()->second == 9);
}

TEST_CASE("units are seconds and bytes, and points in time say that they are") {
  Metrics metrics(Routes());
  const Exposition shown = Shown(metrics);
  for (const auto& [name, family] : shown.families()) {
    INFO(name << ": " << family.help);
    for (const char* unit : {"milli", "micro", "nano", "minutes", "hours", "_days", "_ms", "kilo",
                             "mega", "_kb", "_mb", "percent"}) {
      CHECK(name.find(unit) == name.npos);
    }
    const bool point = family.help.find("Unix time") != std::string::npos ||
                       family.help.find("since 1970") != std::string::npos;
    CHECK(name.ends_with("_timestamp_seconds") == point);
  }
}

TEST_CASE("labels are few, and requests make no series") {
  static const std::set<std::string> kBounded = {"operation", "status", "cause",  "was",
                                                 "phase",     "days",   "service"};
  Metrics metrics(Routes());
  std::set<std::string> before, after;
  const auto collect = [&](std::set<std::string>& all) {
    const Exposition shown = Shown(metrics);
    for (const auto& [name, family] : shown.families()) {
      for (const auto& [series, value] : family.samples) {
        INFO(series);
        all.insert(series);
        for (const auto& label : LabelsOf(series)) {
          CHECK((kBounded.contains(label) || (label == "le" && family.type == "histogram")));
        }
      }
    }
  };
  collect(before);
  for (const Route& route : Routes()) {
    for (const int status : {200, 404, 503}) metrics.CountRequest(&route, status, 1000);
  }
  metrics.CountRequest(nullptr, 404, 1);
  collect(after);
  std::vector<std::string> fresh;
  std::ranges::set_symmetric_difference(before, after, std::back_inserter(fresh));
  CHECK(fresh == std::vector<std::string>());
}

}  // namespace
}  // namespace coffer::api
