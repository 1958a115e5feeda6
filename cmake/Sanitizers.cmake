# SPDX-License-Identifier: Apache-2.0
if(ENTENTE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # What libFuzzer is guided by.
endif()
if(ENTENTE_SANITIZE)
  add_compile_options(-fsanitize=${ENTENTE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # Four checks of UndefinedBehaviorSanitizer guard every use of a pointer: they double the time of a
  # build and find little that AddressSanitizer does not.
  add_compile_options(-fno-sanitize=alignment,null,object-size,vptr)
  add_link_options(-fsanitize=${ENTENTE_SANITIZE})
  # What the tests, and the programs they start, run with.
  set(entente_test_environment
      LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/leak_suppressions.txt:print_suppressions=0
      UBSAN_OPTIONS=print_stacktrace=1)
  if(ENTENTE_SANITIZE MATCHES "thread")
    list(APPEND entente_test_environment
         TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan/suppressions.txt:ignore_noninstrumented_modules=1:log_path=${CMAKE_BINARY_DIR}/race)
    # protobuf's headers give messages with maps two more fields when they see this macro, and the library
    # does not have them; the C++ library's headers want to know all the same.
    add_compile_options(-U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)
    # In every program and test, in the place of what the library has.
    add_library(entente_tsan OBJECT ${CMAKE_SOURCE_DIR}/tests/tsan/absl_synchronization.cc
                                    ${CMAKE_SOURCE_DIR}/tests/tsan/grpc_completion.cc)
    target_link_libraries(entente_tsan PUBLIC absl::synchronization)
  endif()
endif()
