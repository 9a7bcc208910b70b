// JSON as the rooms write it. A type is written by WriteMembers(ObjectWriter&, const Type&), which
// its room declares; whoever shows the type uses that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"

namespace coffer::api {

// Writes an object's members: names are ours, values are escaped. The object ends with the writer.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  void Text(std::string_view name, std::string_view value);
  void Texts(std::string_view name, const std::vector<std::string>& values);
  void Number(std::string_view name, std::uint64_t value);
  void Numbers(std::string_view name, const std::vector<std::uint64_t>& values);
  void Flag(std::string_view name, bool value);
  void Time(std::string_view name, audit::Timestamp value);
  // `value` is a complete JSON value already.
  void Raw(std::string_view name, std::string_view value);
  // What is no UTF-8 is replaced.
  void Json(std::string_view name, const nlohmann::json& value);
  // All of another object's members.
  void Members(const nlohmann::json& object);
  void RawMembers(std::string_view object);

  template <class T>
  void Object(std::string_view name, const T& value) {
    ObjectWriter object(Start(name));
    WriteMembers(object, value);
  }
  ObjectWriter Object(std::string_view name) { return ObjectWriter(Start(name)); }

  // A list of objects, of which `write` is given the writer and the item.
  template <class Items, class Write>
  void Objects(std::string_view name, const Items& items, const Write& write) {
    std::string& out = Start(name);
    out += '[';
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ',';
      first = false;
      ObjectWriter object(out);
      write(object, item);
    }
    out += ']';
  }

  // Before much is written.
  void Reserve(std::size_t bytes) { out_.reserve(out_.size() + bytes); }
  // The member's name; its value is to be appended.
  std::string& Start(std::string_view name);

 private:
  std::string& out_;
  bool first_ = true;
};

template <class T>
void Append(std::string& out, const T& value) {
  ObjectWriter object(out);
  WriteMembers(object, value);
}

// A member of `object` where there is any text.
void PutText(nlohmann::json& object, const char* name, const std::string& text);

}  // namespace coffer::api
