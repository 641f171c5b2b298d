# Emscripten's own toolchain file, wherever it is installed: an activated emsdk, the folder of emcc, Debian's package.
# emcmake names its own and comes before this one.
set(irplan_platform cmake/Modules/Platform/Emscripten.cmake)
find_program(irplan_emcc emcc NO_CMAKE_FIND_ROOT_PATH)
if(irplan_emcc)
  file(REAL_PATH ${irplan_emcc} irplan_emcc_file)
  cmake_path(GET irplan_emcc_file PARENT_PATH irplan_emcc_folder)
endif()

set(irplan_toolchain)
foreach(root "$ENV{EMSCRIPTEN_ROOT}" "$ENV{EMSCRIPTEN}" "$ENV{EMSDK}/upstream/emscripten" "${irplan_emcc_folder}"
             /usr/share/emscripten)
  if(root AND EXISTS ${root}/${irplan_platform})
    set(irplan_toolchain ${root}/${irplan_platform})
    break()
  endif()
endforeach()
if(NOT irplan_toolchain)
  message(FATAL_ERROR "Emscripten was not found: activate an emsdk (source emsdk_env.sh), set EMSCRIPTEN_ROOT to the folder of emcc, "
                      "or install Debian's package emscripten")
endif()
include(${irplan_toolchain})
