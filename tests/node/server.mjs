// Asks for flags as a server does that already uses OpenFeature, and prints what it was told.
// argv: base URL, headers as JSON pairs, questions as JSON [[flag, default, context], ...].
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';

const [baseUrl, headers, questions] = process.argv.slice(2);
const provider = new OFREPProvider({ baseUrl, headers: JSON.parse(headers) });
await OpenFeature.setProviderAndWait(provider);
const client = OpenFeature.getClient();
const told = [];
for (const [flag, otherwise, context] of JSON.parse(questions)) {
  told.push(await client.getBooleanDetails(flag, otherwise, context));
}
console.log(JSON.stringify(told));
