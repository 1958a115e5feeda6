// SPDX-License-Identifier: Apache-2.0
#include "common/config/common_checks.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/config/config_file.h"
#include "common/config/name_rules.h"
#include "common/config/quoted.h"

namespace entente {

void NamedFiles::Resolve(std::string* path) const { *path = ResolvePath(config_path_, *path); }

void NamedFiles::RequireFile(absl::string_view field, absl::string_view what, std::string* path,
                             FieldCheck* check) const {
  check->Present(field, !path->empty(), absl::StrCat("name ", what));
  if (!check->ok()) return;
  Resolve(path);
  if (!files_.Exists(*path)) {
    check->Fail(field, absl::StrCat("names ", *path, ", which is not there; it must be ", what));
  }
}

void NamedFiles::RequireFilledFolder(absl::string_view field, absl::string_view what,
                                     std::string* path, FieldCheck* check) const {
  RequireFile(field, what, path, check);
  if (!check->ok()) return;
  const absl::StatusOr<std::vector<std::string>> names = files_.ListFiles(*path);
  if (!names.ok()) {
    check->Fail(field, absl::StrCat("cannot be read: ", names.status().message()));
  } else if (names->empty()) {
    check->Fail(field,
                absl::StrCat("names ", *path, ", which has no files in it; it must be ", what));
  }
}

void NamedFiles::RequireTls(bool has_authority, config::v1::TlsFiles* tls,
                            FieldCheck* check) const {
  RequireFile("tls.certificate", "the PEM file of this program's certificate",
              tls->mutable_certificate(), check);
  RequireFile("tls.privateKey", "the PEM file of its private key", tls->mutable_private_key(),
              check);
  if (has_authority) {
    RequireFile("tls.authority", "the PEM file of the alliance's authority",
                tls->mutable_authority(), check);
  } else if (!tls->authority().empty()) {
    check->Fail("tls.authority",
                "is not used here; remove it: alliance and members each name their own authority");
  }
}

void CheckUnique(const std::string& path, const std::string& value, std::set<std::string>* seen,
                 FieldCheck* check) {
  if (!seen->insert(value).second) {
    check->Fail(path, absl::StrCat("is ", Quoted(value),
                                   ", which is there already; each must be "
                                   "unlike any other"));
  }
}

bool IsHttpOff(const config::v1::Http& http) { return http.listen() == "off"; }

void FillHttp(absl::string_view listen, config::v1::Http* http) {
  if (http->listen().empty()) http->set_listen(std::string(listen));
}

void CheckHttp(const NamedFiles& named, bool has_authority, config::v1::Http* http,
               FieldCheck* check) {
  check->Expect("http.listen", IsHttpOff(*http) || IsHostPort(http->listen(), 0),
                Quoted(http->listen()), "must be host:port, such as 127.0.0.1:7480, or off");
  named.Resolve(http->mutable_port_file());
  if (!http->token_file().empty()) {
    named.RequireFile("http.tokenFile", "the file with the token", http->mutable_token_file(),
                      check);
  }
  if (!http->has_tls()) return;
  config::v1::TlsFiles& tls = *http->mutable_tls();
  named.RequireFile("http.tls.certificate", "the PEM file of the certificate for HTTPS",
                    tls.mutable_certificate(), check);
  named.RequireFile("http.tls.privateKey", "the PEM file of its private key",
                    tls.mutable_private_key(), check);
  if (tls.authority().empty()) return;
  if (has_authority) {
    named.RequireFile("http.tls.authority", "the PEM file of who vouches for browsers",
                      tls.mutable_authority(), check);
  } else {
    check->Fail("http.tls.authority",
                "is not used here; remove it: the federation's own authorities vouch for browsers");
  }
}

void FillLogging(config::v1::Logging* logging) {
  if (logging->level() == config::v1::Logging::LEVEL_UNSPECIFIED) {
    logging->set_level(config::v1::Logging::LEVEL_INFO);
  }
}

}  // namespace entente
