# magpie_layer(NAME DIR SOURCES... DEPENDS ... [LIBRARIES ...])
#
# A box of docs/architecture: a static library whose sources can include only the headers of the box itself and of
# the boxes in DEPENDS (and, transitively, theirs). All includes are written from the root of the tree
# ("server/engine/table.h"); each box has an include root of its own that holds nothing but a link to its folder, so
# an include across a wall that is not in DEPENDS does not find its file and the build fails.
function(magpie_layer name dir)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/layers/${name})
  cmake_path(GET dir PARENT_PATH parent)
  file(MAKE_DIRECTORY ${root}/${parent})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${dir} ${root}/${dir} SYMBOLIC)
  add_library(magpie_${name} STATIC ${ARG_SOURCES})
  target_include_directories(magpie_${name} PUBLIC ${root})
  list(TRANSFORM ARG_DEPENDS PREPEND magpie_)
  target_link_libraries(magpie_${name} PUBLIC ${ARG_DEPENDS} ${ARG_LIBRARIES})
endfunction()
