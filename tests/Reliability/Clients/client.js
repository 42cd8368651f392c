// Reads one URL per line, as "node URL", and prints the outcome: whole, cut or early.
const http = require('http'), https = require('https');

require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const url = line.split(' ')[1];
  let said = false;
  const say = word => { if (!said) { said = true; console.log(word); } };
  const request = (url.startsWith('https') ? https : http).get(url, { rejectUnauthorized: false }, response => {
    response.on('data', () => {});
    response.on('end', () => say(response.statusCode === 200 ? 'whole' : 'early'));
    response.on('aborted', () => say('cut'));
    response.on('error', () => say('cut'));
  });
  request.on('error', () => say('cut'));
});
