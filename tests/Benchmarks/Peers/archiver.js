// The obvious implementation with Node: archiver over the bodies of sequential http requests.
const http = require('http');
const archiver = require('archiver');

const origin = process.argv[2];
const agent = new http.Agent({ keepAlive: true });

const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', async () => {
    const gzip = request.url === '/tar.gz';
    const archive = archiver('tar', { gzip, gzipOptions: { level: 1 } });
    archive.on('error', () => response.destroy());
    archive.pipe(response);
    for (const key of body.split('\n').filter(Boolean)) {
      await new Promise((resolve, reject) => {
        http.get(origin + key, { agent }, (object) => {
          archive.once('entry', resolve);
          archive.append(object, { name: key, size: Number(object.headers['content-length']) });
        }).on('error', reject);
      });
    }
    archive.finalize();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`Now listening on: http://127.0.0.1:${server.address().port}/`));
