// Prints the minified text of a script, as it is served: node minify.mjs FILE
import { readFileSync } from 'node:fs'
import { minify } from 'terser'

const { code } = await minify(readFileSync(process.argv[2], 'utf8'), { ecma: 2020, compress: { passes: 3 } })
console.log(code)
