# covey::options: the language level, warnings and sanitizers that every part of Covey is built with.
add_library(covey_options INTERFACE)
add_library(covey::options ALIAS covey_options)

target_compile_features(covey_options INTERFACE cxx_std_20)
target_compile_options(covey_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast -Woverloaded-virtual
  $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>)
target_include_directories(covey_options INTERFACE ${PROJECT_SOURCE_DIR})

if(COVEY_SANITIZE)
  target_compile_options(covey_options INTERFACE -fsanitize=${COVEY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(covey_options INTERFACE -fsanitize=${COVEY_SANITIZE})
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

# covey_library(NAME SOURCES… PUBLIC targets… PRIVATE targets…): one static library per part.
function(covey_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(covey_${name} STATIC ${ARG_SOURCES})
  add_library(covey::${name} ALIAS covey_${name})
  target_link_libraries(covey_${name} PUBLIC covey::options ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()
