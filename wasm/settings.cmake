# How everything in a WebAssembly build is compiled, core included. Read by the top-level CMakeLists.txt.

# The one dependency, by its headers alone: the host's include directory must not come before Emscripten's own.
find_path(IRPLAN_JSON_INCLUDE nlohmann/json.hpp PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH
          NO_DEFAULT_PATH DOC "the directory that holds nlohmann/json.hpp")
if(NOT IRPLAN_JSON_INCLUDE)
  message(FATAL_ERROR "nlohmann/json.hpp was not found; give its directory with -DIRPLAN_JSON_INCLUDE=")
endif()
set(irplan_json_copy ${CMAKE_BINARY_DIR}/json-headers)
file(MAKE_DIRECTORY ${irplan_json_copy})
file(COPY ${IRPLAN_JSON_INCLUDE}/nlohmann DESTINATION ${irplan_json_copy})
add_library(nlohmann_json INTERFACE)
target_include_directories(nlohmann_json SYSTEM INTERFACE ${irplan_json_copy})
target_compile_definitions(nlohmann_json INTERFACE JSON_NOEXCEPTION)
add_library(nlohmann_json::nlohmann_json ALIAS nlohmann_json)

# Small before fast, since a page downloads it, but for the layers whose loops a run waits for: each layer has its own level, because
# emcc keeps an early -Oz even where -O2 follows. With -Oz emcc inlines only what says `inline`, not what stands in a class, so that
# each size() is a call: INLINING_LIMIT=0 is no such limit, and a compilation takes half the time in fewer bytes. Nothing in core
# throws or asks for the type of an object, so that unwinding code and names of types are left out; one sort serves all types
# (core/src/base/sort.h).
set(CMAKE_CXX_FLAGS_RELEASE "-DNDEBUG")
set(irplan_small -Oz -sINLINING_LIMIT=0)
set(irplan_fast_layers reference runtime)
add_compile_options(-flto -fno-exceptions -mbulk-memory)
