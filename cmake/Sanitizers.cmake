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
endif()
