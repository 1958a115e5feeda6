// SPDX-License-Identifier: Apache-2.0
#include "sim/entry_text.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace entente::sim {

std::string EntryText(const store::JournalEntry& entry) {
  std::string record;
  {
    google::protobuf::io::StringOutputStream stream(&record);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    ENTENTE_CHECK(entry.record.SerializeToCodedStream(&coded));
  }
  return absl::StrCat(entry.job.value(), " ", entry.sequence, " ", absl::ToUnixMicros(entry.at),
                      " ", record);
}

}  // namespace entente::sim
