# Compiler, linker and sanitizer settings that hold for every target.
option(MAGPIE_TESTS "build the tests" ON)
option(MAGPIE_BENCH "build the benchmarks" OFF)
option(MAGPIE_FUZZ "build the libFuzzer targets (clang only)" OFF)
option(MAGPIE_PLAIN "leave the short cuts out, see protocol/short_cuts.h" OFF)
set(MAGPIE_SANITIZE "" CACHE STRING "value of -fsanitize=, empty for none")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the source tree, so that another clone reuses the objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1") # CHECK and asserts of our own stay on
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release") # there it costs 1 % of a single GET; perf has --call-graph=dwarf
  add_compile_options(-fno-omit-frame-pointer)
endif()

if(MAGPIE_PLAIN)
  add_compile_definitions(MAGPIE_PLAIN=1)
endif()
if(MAGPIE_SANITIZE)
  add_compile_options(-fsanitize=${MAGPIE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MAGPIE_SANITIZE})
  add_compile_definitions(MAGPIE_SANITIZED=1)
endif()
if(MAGPIE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
