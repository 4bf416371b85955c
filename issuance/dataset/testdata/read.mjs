// Reads a data set with hyparquet, which shares nothing with the program: node read.mjs MODULES FILE
import { pathToFileURL } from 'node:url'
const [, , modules, path] = process.argv
const load = (name, file) => import(pathToFileURL(`${modules}/${name}/${file}`))
const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await load('hyparquet', 'src/node.js')
const { compressors } = await load('hyparquet-compressors', 'src/index.js')
const file = await asyncBufferFromFile(path)
const metadata = await parquetMetadataAsync(file)
const rows = await parquetReadObjects({ file, metadata, compressors })
const alike = {}
for (const r of rows) {
  for (const day of ['month', 'day']) r[day] = r[day] && r[day].toISOString().slice(0, 10)
  const key = JSON.stringify(Object.values(r))
  alike[key] = (alike[key] ?? 0) + 1
}
console.log(JSON.stringify({
  columns: parquetSchema(metadata).children.map((c) => c.element.name),
  says: Object.fromEntries(metadata.key_value_metadata.map((m) => [m.key, m.value])),
  rows: rows.length,
  alike,
}))
