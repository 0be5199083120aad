// Does what an app in a browser does: one bulk evaluation, flags read from it, polls, another account.
// argv: base URL, headers as JSON pairs, contexts as JSON, flags as JSON.
// Prints for each context the details of each flag, and what every request was answered with.
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature } from '@openfeature/web-sdk';

const [baseUrl, headers, contexts, flags] = process.argv.slice(2);
const statuses = [];
const fetchImplementation = async (...asked) => {
  const answer = await fetch(...asked);
  statuses.push(answer.status);
  return answer;
};
// Until a poll finds nothing new; one that was under way when the account changed may still bring news.
const polled = async (before) => {
  const waiting = () => statuses.length === before || statuses.at(-1) !== 304;
  for (let waited = 0; waiting() && waited < 200; waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

const provider = new OFREPWebProvider({
  baseUrl,
  headers: JSON.parse(headers),
  fetchImplementation,
  pollInterval: 50,
  cacheMode: 'disabled',
});
const client = OpenFeature.getClient();
const told = [];
for (const context of JSON.parse(contexts)) {
  await OpenFeature.setContext(context);
  if (told.length === 0) await OpenFeature.setProviderAndWait(provider);
  const first = statuses.length;
  await polled(first);
  const details = JSON.parse(flags).map((flag) => client.getBooleanDetails(flag, false));
  told.push({ details, statuses: statuses.slice(told.length === 0 ? 0 : first - 1) });
}
await OpenFeature.close();
console.log(JSON.stringify(told));
process.exit(0);
