# irplan.cdx.json beside the build: what the binaries are made of, as CycloneDX 1.5 (https://cyclonedx.org). It is made of
# what CMake found, so that it names the versions that are built in; no clock and no path of this machine stands in it.
# `cmake --install` puts it to share/irplan.

function(irplan_component result)
  cmake_parse_arguments(of "" "REF;NAME;VERSION;LICENSE;PURL;SCOPE;ABOUT" "" ${ARGN})
  string(CONCAT out
    "    {\"type\": \"library\", \"bom-ref\": \"${of_REF}\", \"name\": \"${of_NAME}\", \"version\": \"${of_VERSION}\",\n"
    "     \"scope\": \"${of_SCOPE}\", \"purl\": \"${of_PURL}\", \"description\": \"${of_ABOUT}\",\n"
    "     \"licenses\": [{\"license\": {${of_LICENSE}}}]}")
  set(${result} "${out}" PARENT_SCOPE)
endfunction()

if(EMSCRIPTEN)
  set(target_name "wasm32, Emscripten ${EMSCRIPTEN_VERSION}")
  set(runtime_name "libc++ of Emscripten")
  set(runtime_license "\"name\": \"Apache-2.0 WITH LLVM-exception\"")
else()
  set(target_name "${CMAKE_SYSTEM_NAME}, ${CMAKE_SYSTEM_PROCESSOR}")
  set(runtime_name "C++ runtime of ${CMAKE_CXX_COMPILER_ID}")
  set(runtime_license "\"name\": \"GPL-3.0-or-later WITH GCC-exception-3.1, or that of the compiler\"")
endif()
set(json_version "${nlohmann_json_VERSION}")
if(NOT json_version)  # headers alone: they say it
  file(GLOB headers ${IRPLAN_JSON_INCLUDE}/nlohmann/json.hpp ${IRPLAN_JSON_INCLUDE}/nlohmann/detail/abi_macros.hpp)
  foreach(header ${headers})
    file(STRINGS ${header} numbers REGEX "define NLOHMANN_JSON_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    list(TRANSFORM numbers REPLACE ".*_(MAJOR|MINOR|PATCH) ([0-9]+).*" "\\2")
    list(LENGTH numbers count)
    if(count EQUAL 3)
      list(JOIN numbers "." json_version)
    endif()
  endforeach()
endif()
irplan_component(json REF nlohmann-json NAME nlohmann-json VERSION ${json_version} SCOPE required LICENSE "\"id\": \"MIT\""
  PURL "pkg:github/nlohmann/json@v${json_version}" ABOUT "headers, compiled in")
irplan_component(runtime REF cxx-runtime NAME "${runtime_name}" VERSION ${CMAKE_CXX_COMPILER_VERSION} SCOPE required
  LICENSE "${runtime_license}" PURL "pkg:generic/cxx-runtime@${CMAKE_CXX_COMPILER_VERSION}" ABOUT "linked in, or loaded where the binary says so")
set_property(GLOBAL PROPERTY irplan_sbom_components "${json},\n${runtime}")
set_property(GLOBAL PROPERTY irplan_sbom_refs "\"nlohmann-json\", \"cxx-runtime\"")

# What a part of the tree links besides: called by that part, with what irplan_component takes.
function(irplan_sbom_add ref)
  irplan_component(component REF ${ref} NAME ${ref} ${ARGN})
  set_property(GLOBAL APPEND_STRING PROPERTY irplan_sbom_components ",\n${component}")
  set_property(GLOBAL APPEND_STRING PROPERTY irplan_sbom_refs ", \"${ref}\"")
  irplan_write_sbom()
endfunction()

# Where CUDA kernels are built: called by native/cuda with the toolkit's version.
function(irplan_sbom_add_cuda version)
  irplan_sbom_add(cuda-runtime VERSION ${version} SCOPE optional LICENSE "\"name\": \"NVIDIA CUDA Toolkit EULA\""
    PURL "pkg:generic/cuda-runtime@${version}" ABOUT "its static runtime, linked in")
endfunction()

function(irplan_write_sbom)
  get_property(irplan_sbom_components GLOBAL PROPERTY irplan_sbom_components)
  get_property(irplan_sbom_refs GLOBAL PROPERTY irplan_sbom_refs)
  string(UUID serial NAMESPACE 6ba7b811-9dad-11d1-80b4-00c04fd430c8 TYPE SHA1
    NAME "irplan ${PROJECT_VERSION} ${target_name} ${irplan_sbom_components}")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/irplan.cdx.json @ONLY CONTENT [[{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "serialNumber": "urn:uuid:@serial@",
  "version": 1,
  "metadata": {
    "component": {"type": "application", "bom-ref": "irplan", "name": "irplan", "version": "@PROJECT_VERSION@",
                  "description": "irplan and irplan-run for @target_name@",
                  "licenses": [{"license": {"id": "Apache-2.0"}}]},
    "tools": {"components": [
      {"type": "application", "name": "CMake", "version": "@CMAKE_VERSION@"},
      {"type": "application", "name": "@CMAKE_CXX_COMPILER_ID@", "version": "@CMAKE_CXX_COMPILER_VERSION@"}
    ]}
  },
  "components": [
@irplan_sbom_components@
  ],
  "dependencies": [{"ref": "irplan", "dependsOn": [@irplan_sbom_refs@]}]
}
]])
endfunction()
irplan_write_sbom()
