// Parses the AsyncAPI document named by the argument and prints its diagnostics as JSON lines, errors (severity 0) included.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'));
for (const { severity, code, message, path } of diagnostics) {
  console.log(JSON.stringify({ severity, code, message, path: path.join('/') }));
}
console.log(JSON.stringify({ channels: document?.channels().all().map((channel) => channel.address()) ?? null }));
