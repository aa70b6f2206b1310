// Runs at CloudFront for calls and sockets: says whose request it is. An address of IPv4, or of IPv6 the network of 2^64 that one
// customer has. What a client wrote into the header is written over.
function handler(event) {
  var request = event.request;
  request.headers['x-miaosha-network'] = { value: network(event.viewer.ip) };
  return request;
}

function network(address) {
  var mapped = /^::ffff:([0-9.]+)$/i.exec(address);
  if (mapped || address.indexOf(':') < 0) {
    return mapped ? mapped[1] : address;
  }
  var sides = address.split('::').map(function (side) { return side === '' ? [] : side.split(':'); });
  var groups = sides[0];
  if (sides.length > 1) {
    // What is left out in the middle is zeros.
    while (groups.length + sides[1].length < 8) {
      groups.push('0');
    }
    groups = groups.concat(sides[1]);
  }
  var four = groups.slice(0, 4).map(function (group) { return group.toLowerCase().replace(/^0+(?=.)/, ''); });
  return four.join(':') + '::';
}
