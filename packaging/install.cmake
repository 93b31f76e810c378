# What an installation holds, and the packages made of it. Every path is relative to the prefix, and DESTDIR works.
include(GNUInstallDirs)

install(TARGETS hob)
foreach(section 1 5)
  file(GLOB pages CONFIGURE_DEPENDS man/*.${section})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(FILES completions/hob.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME hob)
install(FILES completions/_hob DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/hob.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md CHANGELOG.md LICENSE packaging/copyright doc/boot.md doc/protocol.md doc/requirements.md doc/terminals.md
  doc/workers.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN .gitignore EXCLUDE)
# Files that hob or an editor reads at run time: put a file into share/ and it is installed as share/hob/FILE.
install(DIRECTORY share/ DESTINATION ${CMAKE_INSTALL_DATADIR}/hob OPTIONAL)

# --- packages: hob_VERSION_ARCH.deb and hob-VERSION-linux-ARCH.tar.gz
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_VENDOR "the hob authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "daemon manager that keeps the programs of a project warm")
set(CPACK_PACKAGE_DESCRIPTION
  "hob starts one daemon for each project that has a hob.toml. The daemon keeps\n\
slow programs such as language servers loaded, supervises services, and runs\n\
tasks at set times or when files change. hob is one static program and needs\n\
no root.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
string(TOLOWER ${CMAKE_SYSTEM_NAME} system)
set(CPACK_PACKAGE_FILE_NAME hob-${PROJECT_VERSION}-${system}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# Whoever distributes the package puts a name and an address here.
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "the hob authors" CACHE STRING "who answers for the .deb")
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS OFF)  # static: it depends on no library
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/debian.cmake)
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
