// Imports hold up to 8 MiB each: a few are read at a time, so that memory stays bounded.
#pragma once

#include <atomic>
#include <optional>
#include <utility>

namespace coffer::api {

class BodySlots {
 public:
  // Given back however what it was taken for ends, by an exception too.
  class Slot {
   public:
    Slot(Slot&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(taken_, other.taken_);
      return *this;
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() {
      if (taken_ != nullptr) taken_->fetch_sub(1);
    }

   private:
    friend class BodySlots;
    explicit Slot(std::atomic<int>& taken) : taken_(&taken) {}
    std::atomic<int>* taken_;
  };

  static constexpr int kSlots = 4;

  // Nothing: all are taken.
  std::optional<Slot> Take() {
    Slot slot(taken_);
    if (taken_.fetch_add(1) >= kSlots) return std::nullopt;
    return slot;
  }

 private:
  std::atomic<int> taken_{0};
};

}  // namespace coffer::api
