# Run by cpack on the files of a package. A .deb has some of them elsewhere than `cmake --install` has, and compressed.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
set(share ${CPACK_TEMPORARY_DIRECTORY}/usr/share)

# Debian's zsh does not look into /usr/share/zsh/site-functions.
file(MAKE_DIRECTORY ${share}/zsh/vendor-completions)
file(RENAME ${share}/zsh/site-functions/_hob ${share}/zsh/vendor-completions/_hob)
file(REMOVE_RECURSE ${share}/zsh/site-functions)

file(REMOVE ${share}/doc/hob/LICENSE)  # its text is in doc/hob/copyright
file(MAKE_DIRECTORY ${share}/lintian/overrides)
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/lintian-overrides ${share}/lintian/overrides/hob)

file(GLOB compressed ${share}/man/*/*)
execute_process(COMMAND gzip -9n ${compressed} COMMAND_ERROR_IS_FATAL ANY)
