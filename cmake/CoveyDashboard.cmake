# The dashboard's files, as a source that holds them: COVEY_PAGE_FILES. They are those of dashboard/dist, which scripts/dashboard
# builds; where that cannot be, as without Node and a network, a page that says how to build it takes their place.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(dist ${PROJECT_SOURCE_DIR}/dashboard/dist)
if(NOT EXISTS ${dist}/index.html)
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/dashboard RESULT_VARIABLE failed)
  if(failed)
    message(WARNING "The dashboard is not built; a page that says so takes its place. `scripts/dashboard` builds it.")
    set(dist ${PROJECT_SOURCE_DIR}/dashboard/unbuilt)
  endif()
endif()

file(GLOB_RECURSE files CONFIGURE_DEPENDS ${dist}/*)
set(COVEY_PAGE_FILES ${CMAKE_CURRENT_BINARY_DIR}/page_files.cpp)
set(embed ${PROJECT_SOURCE_DIR}/cmake/embed_files.py)
add_custom_command(
  OUTPUT ${COVEY_PAGE_FILES}
  COMMAND ${Python3_EXECUTABLE} ${embed} ${dist} ${COVEY_PAGE_FILES}
  DEPENDS ${embed} ${files}
  COMMENT "Embedding the dashboard"
  VERBATIM)
