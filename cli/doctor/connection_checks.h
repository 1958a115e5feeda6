// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_DOCTOR_CONNECTION_CHECKS_H_
#define CLI_DOCTOR_CONNECTION_CHECKS_H_

// The way to the coordinator, step by step: certificate, name, port, tls, authority, coordinator,
// version, clock, protocol. Ends with the first step that fails.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/coordinator_client.h"
#include "cli/doctor/examination.h"
#include "cli/invocation.h"
#include "common/base/file_system.h"
#include "common/identity/certificate.h"
#include "common/rpc/tls_paths.h"

namespace entente::cli {

// The files of one identity. A certificate that ends within two weeks, or of whose time three
// quarters are over, whichever is later, is warned about. Whether they can be used.
bool CheckIdentityFiles(FileSystem& files, const TlsPaths& paths, absl::Time now,
                        Examination* examination);

// What is in the PEM file of a certificate. The file system's errors; INVALID_ARGUMENT if it is
// none.
absl::StatusOr<CertificateDescription> DescribeCertificateFile(FileSystem& files,
                                                               const std::string& path);

// Whether it is to be warned about, as above.
bool CertificateEndsSoon(const CertificateDescription& certificate, absl::Time now);

// The certificate of an authority in a file of its own; `whose` is said with it. One that ends
// within a month is warned about, with the same exception for short ones.
void CheckAuthorityFile(FileSystem& files, const std::string& path, const std::string& whose,
                        absl::Time now, Examination* examination);

// How far the coordinator's clock is ahead of ours (behind, if negative), and how far off that may
// be. A second or two matter to nobody; a minute makes deadlines and certificates go wrong.
void CheckClock(absl::Duration ahead, absl::Duration uncertainty, Examination* examination);

void CheckConnection(const Invocation& invocation, const ConnectionTarget& target,
                     Examination* examination);

}  // namespace entente::cli

#endif  // CLI_DOCTOR_CONNECTION_CHECKS_H_
