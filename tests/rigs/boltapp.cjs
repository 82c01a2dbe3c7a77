// boltapp.cjs PORT SLACK_URL SECRET: a Bolt app, which is Slack's own reference of who receives events.
const { App, LogLevel } = require('@slack/bolt');

const [port, slackUrl, secret] = process.argv.slice(2);
const app = new App({ token: 'xoxb-good-TB', signingSecret: secret, clientOptions: { slackApiUrl: `${slackUrl}/api/` }, logLevel: LogLevel.ERROR });
app.event('app_mention', async () => {});
app.message(async () => {});
app.error(async () => {});
app.start({ port: Number(port), host: '127.0.0.1' }).then(() => console.log('ready'));
