// Documents as RFC 8785 canonical JSON: objects, lists, texts, whole numbers, truth values, hashes
// and times. The caller names members in their canonical order.
//
//   CanonicalWriter out;
//   out.Open().Number("count", 2).Text("name", name).Close();
//   return out.Take();
//
//   CanonicalReader in(text);
//   return in.Open() && in.Number("count", count) && in.Text("name", name) && in.Close() &&
//   in.AtEnd();
//
// As in ParseEntry the reader is safe and not itself strict: whoever reads writes again what was
// read, and refuses what is spelled otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "audit/text/clock.h"
#include "crypto/bytes.h"

namespace coffer::audit {

class CanonicalWriter {
 public:
  CanonicalWriter& Open();
  CanonicalWriter& Close();
  CanonicalWriter& Member(std::string_view name);  // its value comes next
  CanonicalWriter& Text(std::string_view name, std::string_view value);
  CanonicalWriter& OptionalText(std::string_view name, std::string_view value);  // not when empty
  CanonicalWriter& Number(std::string_view name, std::uint64_t value);           // at most 2^53 - 1
  CanonicalWriter& OptionalNumber(std::string_view name, std::optional<std::uint64_t> value);
  CanonicalWriter& Boolean(std::string_view name, bool value);
  CanonicalWriter& Hex(std::string_view name, const crypto::Hash& value);
  CanonicalWriter& Time(std::string_view name, Timestamp value);
  CanonicalWriter& OptionalTime(std::string_view name, std::optional<Timestamp> value);
  CanonicalWriter& Json(std::string_view name, std::string_view canonical);  // a value as it is
  CanonicalWriter& String(std::string_view value);                           // in a list
  // Calls each(element) to write one value for every element.
  template <class Elements, class Each>
  CanonicalWriter& List(std::string_view name, const Elements& list, const Each& each) {
    Member(name).Raw("[");
    for (const auto& element : list) each(element);
    out_.push_back(']');
    return *this;
  }

  std::string Take() { return std::move(out_); }

 private:
  CanonicalWriter& Raw(std::string_view text);  // behind a comma, where one is needed

  std::string out_;
};

// Each function is false when the text cannot go on like that.
class CanonicalReader {
 public:
  explicit CanonicalReader(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  bool Open();
  bool Close();
  bool Member(std::string_view name);  // whether it is the next one; its value comes next
  bool AnyMember(std::string& name);   // likewise, whatever its name is
  bool Text(std::string_view name, std::string& out);
  bool Number(std::string_view name, std::uint64_t& out);
  bool Boolean(std::string_view name, bool& out);
  bool Hex(std::string_view name, crypto::Hash& out);
  bool Time(std::string_view name, Timestamp& out);
  // True also where the member is absent.
  bool OptionalText(std::string_view name, std::string& out);
  bool OptionalNumber(std::string_view name, std::optional<std::uint64_t>& out);
  bool OptionalTime(std::string_view name, std::optional<Timestamp>& out);
  bool Constant(std::string_view name, std::string_view value);  // exactly this text
  bool String(std::string& out);                                 // in a list
  // One of `values`, each of which has a Name().
  template <class Values, class Value>
  bool OneOf(std::string_view name, const Values& values, Value& out) {
    std::string text;
    if (!Text(name, text)) return false;
    for (const Value value : values) {
      out = value;
      if (Name(value) == text) return true;
    }
    return false;
  }
  // Calls each() to read one value for every element, of at most `limit`.
  template <class Each>
  bool List(std::string_view name, std::size_t limit, const Each& each) {
    if (!Member(name) || !Take("[")) return false;
    if (Take("]")) return Ended();
    std::size_t count = 0;
    do {
      if (++count > limit || !each()) return false;
    } while (Take(","));
    return Take("]") && Ended();
  }

 private:
  bool Take(std::string_view literal);
  bool Ended();  // a value has ended: another member needs a comma

  std::string_view rest_;
  bool first_ = true;  // the next member is its object's first
};

}  // namespace coffer::audit
