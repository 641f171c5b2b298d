# `cmake --install BUILD --prefix X`: the commands, their manuals and completions, and what describes a plan.
include(GNUInstallDirs)

# Manuals and completions are what a program prints of its own table, when it is installed.
function(irplan_install program manual completion)
  install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  set(printed
    "${manual}|${program}.1|${CMAKE_INSTALL_MANDIR}/man1"
    "${completion} bash|${program}|${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
    "${completion} zsh|_${program}|${CMAKE_INSTALL_DATADIR}/zsh/site-functions"
    "${completion} fish|${program}.fish|${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
  foreach(row ${printed})
    string(REPLACE "|" ";" row "${row}")
    list(GET row 0 words)
    list(GET row 1 file)
    list(GET row 2 folder)
    cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY "\${CMAKE_INSTALL_PREFIX}")
    install(CODE "
      set(printed \"${CMAKE_CURRENT_BINARY_DIR}/${file}\")
      separate_arguments(words UNIX_COMMAND \"${words}\")
      execute_process(COMMAND \"$<TARGET_FILE:${program}>\" \${words} OUTPUT_FILE \${printed} COMMAND_ERROR_IS_FATAL ANY)
      file(INSTALL DESTINATION \"${folder}\" TYPE FILE FILES \${printed})")
  endforeach()
endfunction()

if(TARGET irplan)
  irplan_install(irplan man completion)
endif()
if(TARGET irplan-run)
  irplan_install(irplan-run --man --completion)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/core/src/plan/plan.schema.json ${PROJECT_BINARY_DIR}/irplan.cdx.json DESTINATION ${CMAKE_INSTALL_DATADIR}/irplan)
install(FILES ${PROJECT_SOURCE_DIR}/core/language.md ${PROJECT_SOURCE_DIR}/core/plan.md ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
