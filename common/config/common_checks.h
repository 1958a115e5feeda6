// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_COMMON_CHECKS_H_
#define COMMON_CONFIG_COMMON_CHECKS_H_

// What the programs' configuration files have in common: files they name, identities, logging.

#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "common/config/field_check.h"
#include "entente/config/v1/common.pb.h"

namespace entente {

// The files that one configuration file names.
class NamedFiles {
 public:
  // `files` must outlive this.
  NamedFiles(FileSystem& files, const std::string& config_path)
      : files_(files), config_path_(config_path) {}

  // Makes `*path` absolute.
  void Resolve(std::string* path) const;

  // Makes `*path`, the field at `field`, absolute; a mistake unless it is written and exists.
  void RequireFile(absl::string_view field, absl::string_view what, std::string* path,
                   FieldCheck* check) const;

  // The same for a folder that has at least one file in it.
  void RequireFilledFolder(absl::string_view field, absl::string_view what, std::string* path,
                           FieldCheck* check) const;

  // The certificate and the key of the section `tls`, and its authority if `has_authority`;
  // otherwise an authority is a mistake, for it would not be looked at.
  void RequireTls(bool has_authority, config::v1::TlsFiles* tls, FieldCheck* check) const;

 private:
  FileSystem& files_;
  const std::string config_path_;
};

// A mistake unless `value`, the field at `path`, is new in `seen`, where it is then.
void CheckUnique(const std::string& path, const std::string& value, std::set<std::string>* seen,
                 FieldCheck* check);

// Whether it is "off".
bool IsHttpOff(const config::v1::Http& http);

// Default `listen`.
void FillHttp(absl::string_view listen, config::v1::Http* http);

// That the section `http` is as common.proto says, and its files are there; makes their paths
// absolute. `has_authority`: it may name who vouches for browsers.
void CheckHttp(const NamedFiles& named, bool has_authority, config::v1::Http* http,
               FieldCheck* check);

// Default info.
void FillLogging(config::v1::Logging* logging);

}  // namespace entente

#endif  // COMMON_CONFIG_COMMON_CHECKS_H_
