# SPDX-License-Identifier: Apache-2.0
# Every library the build looks for, its Debian package, and why we use it. deploy/packages/ holds
# the same list for apt-get.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)                # pkg-config

find_package(OpenSSL 3.0 REQUIRED)              # libssl-dev: SHA-256, certificates, TLS probes
find_package(ZLIB REQUIRED)                     # zlib1g-dev: data sets ship gzipped
find_package(yaml-cpp REQUIRED)                 # libyaml-cpp-dev: recipes and configuration
find_package(nlohmann_json 3.11 REQUIRED)       # nlohmann-json3-dev: safetensors headers, trainer protocol
find_package(CLI11 2.1 REQUIRED)                # libcli11-dev: command lines
find_package(absl REQUIRED)                     # libabsl-dev: Status, Time, Mutex, containers
find_package(spdlog REQUIRED)                   # libspdlog-dev: structured logs

if(NOT ENTENTE_TRAINER_ONLY)
  find_package(Protobuf REQUIRED)               # libprotobuf-dev, protobuf-compiler: the wire contract
  find_package(gRPC CONFIG REQUIRED)            # libgrpc++-dev, protobuf-compiler-grpc: the transport
  find_package(hwy 1.0 REQUIRED)                # libhwy-dev: vectors for the numbers of updates
  pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)     # libzstd-dev: chunks that are compressed
  pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)  # prometheus-cpp-dev: metrics
  pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)  # libcpp-httplib-dev: HTTP for browsers
  pkg_check_modules(NCURSESW REQUIRED IMPORTED_TARGET ncursesw)  # libncurses-dev: the full-screen views of `entente`
  pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)  # libsqlite3-dev: the journal
  find_file(ENTENTE_CHARTS chart.min.js PATHS /usr/share/javascript/chart.js REQUIRED)  # libjs-chart.js: the dashboard's charts
endif()

if(ENTENTE_BUILD_TRAINER OR ENTENTE_TRAINER_ONLY)
  find_package(Torch REQUIRED)                  # libtorch-dev: local training
endif()

if(ENTENTE_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)             # libgtest-dev, libgmock-dev: the tests
endif()
