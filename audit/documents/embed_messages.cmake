# Usage: cmake -DOUT=file.cc -DSOURCE=dir -P embed_messages.cmake
#
# The length of one string literal is limited by some compilers: a text becomes one literal a line.
string(CONCAT text "#include \"audit/documents/embedded_texts.h\"\n\n#include <cstdlib>\n\n"
  "namespace coffer::audit {\n\nstd::string_view EmbeddedText(std::string_view file) {\n")
file(GLOB files ${SOURCE}/*.json ${SOURCE}/*.txt)
list(SORT files)
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(READ ${file} content)
  string(REPLACE "\\" "\\\\" content "${content}")
  string(REPLACE "\"" "\\\"" content "${content}")
  string(REPLACE "\n" "\\n\"\n    \"" content "${content}")
  string(APPEND text "  if (file == \"${name}\") {\n    return\n    \"${content}\";\n  }\n")
endforeach()
string(APPEND text "  std::abort();\n}\n\n}  // namespace coffer::audit\n")
file(WRITE ${OUT} "${text}")
