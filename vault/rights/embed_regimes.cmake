# Usage: cmake -DOUT=file.cc -DSOURCE=dir -P embed_regimes.cmake
string(CONCAT text "#include \"vault/rights/built_in_regimes.h\"\n\nnamespace coffer::vault {\n\n"
  "const std::vector<BuiltInRegime>& BuiltInRegimeTexts() {\n"
  "  static const std::vector<BuiltInRegime> regimes = {\n")
file(GLOB files ${SOURCE}/*.json)
list(SORT files)
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} json)
  string(APPEND text "    {\"${name}\", R\"json(${json})json\"},\n")
endforeach()
string(APPEND text "  };\n  return regimes;\n}\n\n}  // namespace coffer::vault\n")
file(WRITE ${OUT} "${text}")
