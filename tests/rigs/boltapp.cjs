// boltapp.cjs PORT SLACK_URL SECRET: a Bolt app, which is Slack's own reference of who receives events. It answers each mention and each
// message once it has taken it, as its users would have it.
const { App, LogLevel } = require('@slack/bolt');

const [port, slackUrl, secret] = process.argv.slice(2);
const app = new App({ token: 'xoxb-good-TB', signingSecret: secret, clientOptions: { slackApiUrl: `${slackUrl}/api/` }, logLevel: LogLevel.ERROR });
const answer = ({ event, say }) => say({ text: 'Bolt has seen it.', thread_ts: event.thread_ts ?? event.ts });
app.event('app_mention', answer);
app.message(async ({ message, say }) => message.channel_type === 'im' && answer({ event: message, say }));
app.error(async (error) => console.error(error));
app.start({ port: Number(port), host: '127.0.0.1' }).then(() => console.log('ready'));
