# SPDX-License-Identifier: Apache-2.0
# Files into a program, while it is built.
#
# entente_embed(OUTPUT embedded.cc HEADER "coordinator/http/pages.h" NAMESPACE entente::dashboard FILES a.html b.js)
# makes a source with `std::vector<EmbeddedFile> EmbeddedFiles()`, which HEADER declares in NAMESPACE.
# With cmake -P it is the step itself.

if(CMAKE_SCRIPT_MODE_FILE)
  set(arrays "")
  set(rows "")
  set(count 0)
  foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x..,){24})" "\\1\n" bytes "${bytes}")
    string(APPEND arrays "constexpr unsigned char kFile${count}[] = {${bytes}};\n")
    string(APPEND rows "      {\"${name}\", {reinterpret_cast<const char*>(kFile${count}), sizeof(kFile${count})}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\nnamespace {\n\n${arrays}\n}  // namespace\n\n"
    "std::vector<EmbeddedFile> EmbeddedFiles() {\n  return {\n${rows}  };\n}\n\n}  // namespace ${NAMESPACE}\n")
  return()
endif()

set(entente_embed_script ${CMAKE_CURRENT_LIST_FILE})
function(entente_embed)
  cmake_parse_arguments(ARG "" "OUTPUT;HEADER;NAMESPACE" "FILES" ${ARGN})
  list(TRANSFORM ARG_FILES REPLACE "^([^/].*)$" "${CMAKE_CURRENT_SOURCE_DIR}/\\1")
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${ARG_OUTPUT}
    COMMAND ${CMAKE_COMMAND} -D "OUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${ARG_OUTPUT}" -D "HEADER=${ARG_HEADER}"
            -D "NAMESPACE=${ARG_NAMESPACE}" -D "FILES=${ARG_FILES}" -P ${entente_embed_script}
    DEPENDS ${ARG_FILES} ${entente_embed_script}
    VERBATIM)
  # An array of bytes has nothing to share with the folder's other sources.
  set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/${ARG_OUTPUT} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
