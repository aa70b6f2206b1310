// Runs at CloudFront for paths that are neither a file's nor the API's.
function handler(event) {
  var request = event.request;
  request.uri = '/web/index.html';
  return request;
}
