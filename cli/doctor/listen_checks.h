// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_DOCTOR_LISTEN_CHECKS_H_
#define CLI_DOCTOR_LISTEN_CHECKS_H_

// What a program of this machine listens on.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/doctor/examination.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "entente/config/v1/common.pb.h"

namespace entente::cli {

// Whether somebody listens at `listen`, host:port, already. Both are well: `program`, such as
// "coordinator", may run or not.
void CheckListen(const std::string& listen, absl::string_view program, Examination* examination);

// Who may vouch for browsers.
struct BrowserAuthority {
  std::string trust_domain;  // Empty: the one that its certificate names.
  std::string path;          // A PEM file.
};

// The section `http` of a configuration, in one line; none if it says off. Failed if the program
// would refuse it at its start (address, certificate, key, token file), or the certificate has
// expired; a certificate that ends soon is warned about as CheckIdentityFiles does.
void CheckHttpSection(FileSystem& files, const Clock& clock, const config::v1::Http& section,
                      const std::vector<BrowserAuthority>& authorities, absl::string_view program,
                      Examination* examination);

}  // namespace entente::cli

#endif  // CLI_DOCTOR_LISTEN_CHECKS_H_
