# One library of all layers for other projects, `irplan::irplan`: where the tree is a part of theirs, or installed.
#   find_package(irplan REQUIRED)
#   target_link_libraries(engine PRIVATE irplan::irplan)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(objects "")
foreach(layer base dims ops kernels plan syntax names ir passes rivals report service)
  list(APPEND objects $<TARGET_OBJECTS:irplan_${layer}>)
endforeach()
add_library(irplan_library STATIC ${objects})
add_library(irplan::irplan ALIAS irplan_library)
set_target_properties(irplan_library PROPERTIES OUTPUT_NAME irplan EXPORT_NAME irplan LINKER_LANGUAGE CXX)
target_compile_features(irplan_library INTERFACE cxx_std_20)
target_include_directories(irplan_library INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

if(NOT IRPLAN_INSTALL)
  return()
endif()
set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/irplan)
install(TARGETS irplan_library EXPORT irplan_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/irplan DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT irplan_targets NAMESPACE irplan:: FILE irplan-targets.cmake DESTINATION ${folder})
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/irplan-config.cmake.in "@PACKAGE_INIT@\ninclude(\${CMAKE_CURRENT_LIST_DIR}/irplan-targets.cmake)\n")
configure_package_config_file(${CMAKE_CURRENT_BINARY_DIR}/irplan-config.cmake.in irplan-config.cmake INSTALL_DESTINATION ${folder})
write_basic_package_version_file(irplan-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/irplan-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/irplan-config-version.cmake
  DESTINATION ${folder})
