# Fails on a weak symbol outside the namespace of the instruction set that objects are compiled for: of such symbols
# the linker keeps one for everybody, and an AVX-512 body of, say, std::min would kill the process on older machines.
# The names are read as the compiler mangles them, since nm -C cannot undo every lambda.
set(inside "_Z[A-Z]*N[KV]*5pynet2${ISA}")
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND "${NM}" "${object}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]* [WwVvu] [^\n]*" weak "${symbols}")
  if(NOT weak MATCHES "${inside}")
    message(FATAL_ERROR "${object} has no weak symbol of pynet::${ISA} at all: is this the right object?")
  endif()
  foreach(symbol IN LISTS weak)
    # DW.ref. is a pointer that unoptimised code has, not an instruction.
    if(NOT symbol MATCHES " (${inside}|DW.ref.)")
      message(SEND_ERROR "weak symbol outside pynet::${ISA}: ${symbol}")
    endif()
  endforeach()
endforeach()
