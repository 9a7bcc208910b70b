// Texts in other encodings than UTF-8, decoded strictly: what stands for no character is a fault
// and becomes no other one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coffer::cli {

// How some encodings begin.
struct ByteOrderMark {
  std::string_view bytes;
  std::string_view encoding;
};
std::optional<ByteOrderMark> ByteOrderMarkOf(std::string_view beginning);

// The one name of an encoding that has many, as ICU knows it; nothing for names it does not know.
std::optional<std::string> EncodingNamed(const std::string& name);

class TextDecoder {
 public:
  // Precondition: `encoding` comes from EncodingNamed.
  explicit TextDecoder(const std::string& encoding);
  ~TextDecoder();
  TextDecoder(TextDecoder&&) noexcept;
  TextDecoder& operator=(TextDecoder&&) noexcept;

  // Puts the UTF-8 of `bytes` into `text`; a character may be cut between two pieces, and is not
  // when this is the last. False for what stands for no character, for U+0000, and for controls
  // (U+0080 to U+009F) where bytes that stand for nothing become these; `text` then ends before.
  bool Decode(std::string_view bytes, bool last, std::string& text);

  void Restart();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What ICU's detector takes a text for that is not UTF-8, by a name to give; nothing when it has no
// opinion. A guess: never to be used unasked.
std::optional<std::string> LikelyEncoding(std::string_view sample);

}  // namespace coffer::cli
