#include "audit/documents/zip_archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>

namespace coffer::audit {
namespace {

struct FreeArchiveWriter {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
struct FreeArchiveReader {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
struct FreeArchiveEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using ArchiveWriter = std::unique_ptr<archive, FreeArchiveWriter>;
using ArchiveReader = std::unique_ptr<archive, FreeArchiveReader>;
using ArchiveEntry = std::unique_ptr<archive_entry, FreeArchiveEntry>;

constexpr std::size_t kZipPiece = 64UZ * 1024;

la_ssize_t AppendToBytes(archive* handle, void* bytes, const void* data, std::size_t size) {
  try {
    const auto* const begin = static_cast<const std::uint8_t*>(data);
    auto& out = *static_cast<crypto::Bytes*>(bytes);
    out.insert(out.end(), begin, begin + size);
    return static_cast<la_ssize_t>(size);
  } catch (const std::bad_alloc&) {
    archive_set_error(handle, ENOMEM, "no memory");
    return -1;
  }
}

std::string ArchiveMessage(archive* handle) {
  const char* const text = archive_error_string(handle);
  return text == nullptr ? "unknown" : text;
}

std::unexpected<Error> NotWritten(archive* handle) {
  return Fail(Code::kInternal, "archive_not_written", ArchiveMessage(handle));
}

std::unexpected<Error> BadArchive(std::string detail) {
  return Fail(Code::kCorrupted, "archive_malformed", std::move(detail));
}

Result<std::string> ReadZipFile(archive* handle, const std::string& name, std::uint64_t limit) {
  std::string bytes;
  std::array<char, kZipPiece> piece;
  while (true) {
    const la_ssize_t size = archive_read_data(handle, piece.data(), piece.size());
    if (size == 0) return bytes;
    if (size < 0) return BadArchive(name + ": " + ArchiveMessage(handle));
    if (bytes.size() + static_cast<std::size_t>(size) > limit) {
      return Fail(Code::kTooLarge, "archive_too_large", name + " is larger than it may be");
    }
    bytes.append(piece.data(), static_cast<std::size_t>(size));
  }
}

// libarchive takes a text that ends with a zero.
Status EncryptUnder(archive* writer, const crypto::SecretBytes& passphrase) {
  crypto::SecretBytes text(passphrase.size() + 1);
  std::ranges::copy(passphrase.ExposeSecret(), text.ExposeSecretForWriting().begin());
  const auto* const bytes = reinterpret_cast<const char*>(text.ExposeSecret().data());
  if (archive_write_set_options(writer, "zip:encryption=aes256") != ARCHIVE_OK ||
      archive_write_set_passphrase(writer, bytes) != ARCHIVE_OK) {
    return NotWritten(writer);
  }
  return {};
}

Result<crypto::Bytes> WriteFiles(std::span<const NamedFile> files,
                                 const crypto::SecretBytes* passphrase) {
  crypto::Bytes out;
  const ArchiveWriter writer(archive_write_new());
  const ArchiveEntry entry(archive_entry_new());
  if (!writer || !entry) return Fail(Code::kUnavailable, "no_memory");
  // Without a last block filled up with zeros.
  if (archive_write_set_format_zip(writer.get()) != ARCHIVE_OK ||
      archive_write_zip_set_compression_deflate(writer.get()) != ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(writer.get(), 1) != ARCHIVE_OK) {
    return NotWritten(writer.get());
  }
  if (passphrase != nullptr) COFFER_TRY(EncryptUnder(writer.get(), *passphrase));
  if (archive_write_open(writer.get(), &out, nullptr, AppendToBytes, nullptr) != ARCHIVE_OK) {
    return NotWritten(writer.get());
  }
  for (const NamedFile& file : files) {
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), file.name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    // Without a time libarchive writes the earliest that the format has; any other would be
    // written in the time zone of the process.
    archive_entry_unset_mtime(entry.get());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.bytes.size()));
    if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK ||
        archive_write_data(writer.get(), file.bytes.data(), file.bytes.size()) !=
            static_cast<la_ssize_t>(file.bytes.size()) ||
        archive_write_finish_entry(writer.get()) != ARCHIVE_OK) {
      return NotWritten(writer.get());
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return NotWritten(writer.get());
  return out;
}

}  // namespace

Result<crypto::Bytes> WriteZip(std::span<const NamedFile> files) {
  return WriteFiles(files, nullptr);
}

Result<crypto::Bytes> WriteEncryptedZip(std::span<const NamedFile> files,
                                        const crypto::SecretBytes& passphrase) {
  return WriteFiles(files, &passphrase);
}

Result<std::vector<NamedFile>> ReadZip(crypto::ByteView bytes, const ZipLimits& limits) {
  const auto too_large = [](std::string detail) {
    return Fail(Code::kTooLarge, "archive_too_large", std::move(detail));
  };
  const ArchiveReader reader(archive_read_new());
  if (!reader) return Fail(Code::kUnavailable, "no_memory");
  // By the directory at its end, as unpacking programs read it; not as a stream of local headers.
  if (archive_read_support_format_zip_seekable(reader.get()) != ARCHIVE_OK ||
      archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return BadArchive(ArchiveMessage(reader.get()));
  }
  std::vector<NamedFile> files;
  std::set<std::string, std::less<>> names;
  std::uint64_t total = 0;
  while (true) {
    archive_entry* entry = nullptr;
    const int read = archive_read_next_header(reader.get(), &entry);
    if (read == ARCHIVE_EOF) return files;
    if (read != ARCHIVE_OK) return BadArchive(ArchiveMessage(reader.get()));
    const char* const path = archive_entry_pathname(entry);
    const std::string name = path == nullptr ? "" : path;
    const std::uint64_t limit = limits.max_bytes(name);
    if (limit == 0) return BadArchive("a file that has no place here");
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_is_encrypted(entry) != 0) {
      return BadArchive(name + " is not a plain file");
    }
    if (!names.insert(name).second) return BadArchive(name + " is there twice");
    if (files.size() == limits.max_files) return too_large("too many files");
    const std::uint64_t room = limits.max_total_bytes - total;
    COFFER_ASSIGN(std::string content, ReadZipFile(reader.get(), name, std::min(limit, room)));
    total += content.size();
    files.push_back({name, std::move(content)});
  }
}

}  // namespace coffer::audit
