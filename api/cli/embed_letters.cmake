# Usage: cmake -DOUT=file.cc -DSOURCE=dir -P embed_letters.cmake
string(CONCAT text "#include \"api/cli/text/letter.h\"\n\nnamespace coffer::cli {\n\n"
  "const std::vector<LetterTemplate>& BuiltInLetters() {\n"
  "  static const std::vector<LetterTemplate> letters = {\n")
file(GLOB files ${SOURCE}/*.txt)
list(SORT files)
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(rest ${file} EXT)
  string(REGEX REPLACE "^\\.(.*)\\.txt$" "\\1" language ${rest})
  file(READ ${file} letter)
  string(APPEND text "      {\"${name}\", \"${language}\", R\"txt(${letter})txt\"},\n")
endforeach()
string(APPEND text "  };\n  return letters;\n}\n\n}  // namespace coffer::cli\n")
file(WRITE ${OUT} "${text}")
