// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_TLS_PATHS_H_
#define COMMON_RPC_TLS_PATHS_H_

// The files of one identity. Apart from tls_credentials.h so that naming files does not cost gRPC's
// headers.

#include <string>

namespace entente {

// Paths of PEM files.
struct TlsPaths {
  std::string certificate;
  std::string private_key;
  std::string authority;  // Who vouches for the other side; may hold several certificates.
};

}  // namespace entente

#endif  // COMMON_RPC_TLS_PATHS_H_
