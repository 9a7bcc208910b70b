#include "crypto/hash_batch.h"

#include "crypto/hash.h"

#if COFFER_HAS_IPSEC_MB
#include <intel-ipsec-mb.h>

#include "crypto/internal/invariant.h"
#endif

namespace coffer::crypto {

#if COFFER_HAS_IPSEC_MB

using internal::Require;

class HashBatch::Lanes {
 public:
  Lanes() : manager_(alloc_mb_mgr(0)) {
    Require(manager_ != nullptr, "memory for a batch of hashes");
    init_mb_mgr_auto(manager_.get(), nullptr);
  }

  void Add(ByteView message, Hash& hash) {
    if (message.empty() || message.size() > kLongest) {
      hash = Sha256(message);
      return;
    }
    IMB_JOB* const job = IMB_GET_NEXT_JOB(manager_.get());
    *job = {};
    job->cipher_mode = IMB_CIPHER_NULL;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    job->hash_alg = IMB_AUTH_SHA_256;
    job->src = message.data();
    job->msg_len_to_hash_in_bytes = message.size();
    job->auth_tag_output = hash.data();
    job->auth_tag_output_len_in_bytes = hash.size();
    for (const IMB_JOB* done = IMB_SUBMIT_JOB(manager_.get()); done != nullptr;
         done = IMB_GET_COMPLETED_JOB(manager_.get())) {
      Require(done->status == IMB_STATUS_COMPLETED, "SHA-256 in a batch");
    }
  }

  void Finish() {
    while (const IMB_JOB* const done = IMB_FLUSH_JOB(manager_.get())) {
      Require(done->status == IMB_STATUS_COMPLETED, "SHA-256 in a batch");
    }
  }

 private:
  // The library counts a message's bytes in 16 bits.
  static constexpr std::size_t kLongest = 32 * 1024;
  struct Free {
    void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
  };
  std::unique_ptr<IMB_MGR, Free> manager_;
};

#else

class HashBatch::Lanes {
 public:
  void Add(ByteView message, Hash& hash) { hash = Sha256(message); }
  void Finish() {}
};

#endif

HashBatch::HashBatch() : lanes_(std::make_unique<Lanes>()) {}
HashBatch::~HashBatch() = default;
HashBatch::HashBatch(HashBatch&&) noexcept = default;
HashBatch& HashBatch::operator=(HashBatch&&) noexcept = default;

void HashBatch::Add(ByteView message, Hash& hash) { lanes_->Add(message, hash); }
void HashBatch::Finish() { lanes_->Finish(); }

}  // namespace coffer::crypto
