// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/base/little_endian.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kSizeBytes = 8;  // The header's size stands in front of it.

// Refuses a file, by name.
absl::Status Malformed(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, " is not a valid safetensors file: ", what));
}

// What the header says of one tensor.
struct Entry {
  TensorSpec spec;
  uint64_t begin = 0;
  uint64_t end = 0;
};

constexpr char kMetadata[] = "__metadata__";
constexpr char kEntryRule[] = "needs exactly dtype, shape and data_offsets";

absl::Status TensorFault(const std::string& name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(TensorText(name), " ", what));
}

bool IsUnsigned(const Json& value) { return value.is_number_unsigned(); }

absl::StatusOr<Entry> ParseEntry(const std::string& name, const Json& value) {
  const auto fault = [&name](absl::string_view what) { return TensorFault(name, what); };
  if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() ||
      !value.contains("shape") || !value["shape"].is_array() || !value.contains("data_offsets") ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2 || value.size() != 3) {
    return fault(kEntryRule);
  }
  const auto dtype = ParseDtype(value["dtype"].get_ref<const std::string&>());
  if (!dtype.ok()) return fault(absl::StrCat("has ", dtype.status().message()));
  Entry entry{.spec = {.name = name, .dtype = *dtype, .shape = {}}};
  for (const Json& dimension : value["shape"]) {
    if (!IsUnsigned(dimension)) return fault("has a shape that is not whole numbers");
    entry.spec.shape.push_back(dimension.get<uint64_t>());
  }
  if (!IsUnsigned(value["data_offsets"][0]) || !IsUnsigned(value["data_offsets"][1])) {
    return fault("has offsets that are not whole numbers");
  }
  entry.begin = value["data_offsets"][0].get<uint64_t>();
  entry.end = value["data_offsets"][1].get<uint64_t>();
  return entry;
}

// Takes a header apart while it is parsed, so that no more is kept of it than its entries: as a
// whole, hostile JSON can be thirty times larger in memory than it is as text.
class HeaderParser {
 public:
  absl::StatusOr<std::vector<Entry>> Parse(const std::string& text) {
    const auto on_event = [this](int depth, Json::parse_event_t event, Json& parsed) {
      return fault_.ok() && Keep(depth, event, parsed);
    };
    const Json header = Json::parse(text, on_event, /*allow_exceptions=*/false);
    ENTENTE_RETURN_IF_ERROR(fault_);
    if (!header.is_object()) return absl::InvalidArgumentError("its header is not a JSON object");
    return std::move(entries_);
  }

 private:
  // Whether the parser keeps `parsed`. Depth 1 is between tensors, 2 inside one, 3 inside its
  // lists.
  bool Keep(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth == 0 && event == Event::array_start) {
      fault_ = absl::InvalidArgumentError("its header is not a JSON object");
    }
    if (depth == 1 && event == Event::key) {
      name_ = parsed.get<std::string>();
      fields_.clear();
      return true;
    }
    if (depth == 1 && event == Event::object_end) {
      if (name_ != kMetadata) AddEntry(parsed);
      return false;
    }
    if (name_ == kMetadata && depth >= 2) return false;  // Free text; nothing here reads it.
    if (depth == 2 && event == Event::key) return AddField(parsed.get<std::string>());
    if (depth == 3 && ++list_size_ > limits::kTensorRankMax) {
      return Refuse(absl::StrCat("has more than ", limits::kTensorRankMax, " dimensions"));
    }
    // Otherwise not even an object of objects: ParseEntry could not say what it should have been.
    const bool is_entry = depth != 1 || event == Event::object_start;
    return (is_entry && depth <= 3) || Refuse(kEntryRule);
  }

  // A field there twice is refused: JSON keeps the last and another reader may keep the first.
  bool AddField(std::string field) {
    const bool is_new = fields_.insert(std::move(field)).second;
    list_size_ = 0;
    return (is_new && fields_.size() <= 3) || Refuse(kEntryRule);
  }

  void AddEntry(const Json& value) {
    auto entry = ParseEntry(name_, value);
    if (entry.ok()) {
      entries_.push_back(*std::move(entry));
    } else {
      fault_ = entry.status();
    }
  }

  bool Refuse(absl::string_view what) {
    fault_ = TensorFault(name_, what);
    return false;
  }

  std::vector<Entry> entries_;
  absl::Status fault_;
  std::string name_;              // Of the tensor being parsed.
  std::set<std::string> fields_;  // Of the tensor being parsed.
  int list_size_ = 0;
};

// The tensors must fill the data section exactly: no gap can hide bytes, none is read twice.
absl::Status CheckOffsets(std::vector<Entry> entries, uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != position || entry.end < entry.begin ||
        entry.end - entry.begin != entry.spec.Bytes()) {
      return TensorFault(entry.spec.name,
                         "has offsets that overlap, leave a gap or do not fit its shape");
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "its tensors need ", position, " bytes and the file holds ", data_bytes, " of them"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<WritableFile>> OpenEmpty(FileSystem& files,
                                                        const std::string& path) {
  ENTENTE_RETURN_IF_ERROR(files.Remove(path));  // A longer file must not shine through.
  return files.OpenForWrite(path);
}

}  // namespace

std::string SafetensorsHeader(const Layout& layout) {
  // Written by hand: an ordered JSON object looks a key up in linear time, and a header may come
  // from a stranger who put a million tensors into it.
  std::string json = "{";
  for (size_t i = 0; i < layout.tensors().size(); ++i) {
    const TensorSpec& tensor = layout.tensors()[i];
    const uint64_t begin = layout.OffsetBytes(i);
    absl::StrAppend(&json, i == 0 ? "" : ",", Json(tensor.name).dump(), ":{\"dtype\":\"",
                    DtypeName(tensor.dtype), "\",\"shape\":", ShapeText(tensor.shape),
                    ",\"data_offsets\":[", begin, ",", begin + tensor.Bytes(), "]}");
  }
  json += "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string out;
  AppendLittleEndian64(json.size(), &out);
  return out + json;
}

uint64_t SafetensorsFileBytes(const Layout& layout) {
  return SafetensorsHeader(layout).size() + layout.TotalBytes();
}

SafetensorsReader::SafetensorsReader(std::unique_ptr<ReadableFile> file, Layout layout,
                                     std::vector<uint64_t> file_offsets, bool is_canonical)
    : file_(std::move(file)),
      layout_(std::move(layout)),
      file_offsets_(std::move(file_offsets)),
      is_canonical_(is_canonical) {}

absl::StatusOr<std::unique_ptr<SafetensorsReader>> SafetensorsReader::Open(
    FileSystem& files, const std::string& path, uint64_t header_bytes_max) {
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  if (file->size_bytes() < kSizeBytes) return Malformed(path, "it is shorter than 8 bytes");
  char size_field[kSizeBytes];
  ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(size_field)));
  const uint64_t header_bytes = ReadLittleEndian64(size_field);
  const uint64_t file_rest = file->size_bytes() - kSizeBytes;
  if (header_bytes > header_bytes_max || header_bytes > file_rest) {
    return Malformed(path, absl::StrCat("its header claims ", header_bytes, " bytes; at most ",
                                        std::min(header_bytes_max, file_rest), " can be"));
  }
  std::string text(header_bytes, '\0');
  ENTENTE_RETURN_IF_ERROR(file->ReadAt(kSizeBytes, absl::MakeSpan(text.data(), text.size())));

  auto entries = HeaderParser().Parse(text);
  if (!entries.ok()) return Malformed(path, entries.status().message());
  std::sort(entries->begin(), entries->end(),
            [](const Entry& a, const Entry& b) { return a.spec.name < b.spec.name; });
  std::vector<TensorSpec> specs;
  for (const Entry& entry : *entries) specs.push_back(entry.spec);
  auto layout = Layout::Create(std::move(specs));  // Checks sizes before CheckOffsets multiplies.
  if (!layout.ok()) return Malformed(path, layout.status().message());
  const uint64_t data_start = kSizeBytes + header_bytes;
  if (absl::Status status = CheckOffsets(*entries, file->size_bytes() - data_start); !status.ok()) {
    return Malformed(path, status.message());
  }

  std::vector<uint64_t> file_offsets;
  for (const Entry& entry : *entries) file_offsets.push_back(data_start + entry.begin);
  std::string raw_header(size_field, kSizeBytes);
  const bool is_canonical = raw_header + text == SafetensorsHeader(*layout);
  return std::unique_ptr<SafetensorsReader>(new SafetensorsReader(
      std::move(file), *std::move(layout), std::move(file_offsets), is_canonical));
}

absl::Status SafetensorsReader::ReadAt(size_t index, uint64_t offset_bytes,
                                       absl::Span<char> buffer) const {
  ENTENTE_CHECK(index < layout_.tensors().size());
  const uint64_t tensor_bytes = layout_.tensors()[index].Bytes();
  if (offset_bytes > tensor_bytes || buffer.size() > tensor_bytes - offset_bytes) {
    return absl::OutOfRangeError(absl::StrCat("tensor \"", layout_.tensors()[index].name, "\" has ",
                                              tensor_bytes, " bytes"));
  }
  return file_->ReadAt(file_offsets_[index] + offset_bytes, buffer);
}

SafetensorsWriter::SafetensorsWriter(std::unique_ptr<WritableFile> file,
                                     std::unique_ptr<FollowingDigest> digest, Layout layout,
                                     uint64_t data_start)
    : file_(std::move(file)),
      digest_(std::move(digest)),
      layout_(std::move(layout)),
      data_start_(data_start) {}

absl::StatusOr<std::unique_ptr<SafetensorsWriter>> SafetensorsWriter::Create(
    FileSystem& files, const std::string& path, Layout layout) {
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, OpenEmpty(files, path));
  return Start(std::move(file), nullptr, std::move(layout));
}

absl::StatusOr<std::unique_ptr<SafetensorsWriter>> SafetensorsWriter::CreateHashed(
    FileSystem& files, const std::string& path, Layout layout) {
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, OpenEmpty(files, path));
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<FollowingDigest> digest,
                           FollowingDigest::Create(files, path));
  return Start(std::move(file), std::move(digest), std::move(layout));
}

absl::StatusOr<std::unique_ptr<SafetensorsWriter>> SafetensorsWriter::Start(
    std::unique_ptr<WritableFile> file, std::unique_ptr<FollowingDigest> digest, Layout layout) {
  const std::string header = SafetensorsHeader(layout);
  auto writer = std::unique_ptr<SafetensorsWriter>(
      new SafetensorsWriter(std::move(file), std::move(digest), std::move(layout), header.size()));
  ENTENTE_RETURN_IF_ERROR(writer->Put(0, header));
  return writer;
}

absl::Status SafetensorsWriter::WriteAt(size_t index, uint64_t offset_bytes,
                                        absl::string_view data) {
  ENTENTE_CHECK(index < layout_.tensors().size());
  ENTENTE_CHECK(offset_bytes + data.size() <= layout_.tensors()[index].Bytes());
  ENTENTE_RETURN_IF_ERROR(Put(data_start_ + layout_.OffsetBytes(index) + offset_bytes, data));
  bytes_written_ += data.size();
  return absl::OkStatus();
}

absl::Status SafetensorsWriter::Put(uint64_t offset, absl::string_view data) {
  ENTENTE_RETURN_IF_ERROR(file_->WriteAt(offset, data));
  return digest_ == nullptr ? absl::OkStatus() : digest_->Wrote(offset, data);
}

Digest SafetensorsWriter::digest() const {
  ENTENTE_CHECK(digest_ != nullptr && is_whole());
  return digest_->Current();
}

absl::Status SafetensorsWriter::Finish() {
  ENTENTE_CHECK(is_whole());
  return file_->Sync();
}

}  // namespace entente
